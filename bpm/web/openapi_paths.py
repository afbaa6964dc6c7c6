"""The parts of the OpenAPI document that do not come from the registry: accounts, webhooks and health."""

from collections.abc import Iterable
from typing import Any

from bpm.edge.openapi_operation import OpenApiOperation
from bpm.media import FORM

ERROR = {"$ref": "#/components/schemas/BusError"}

_PUBLIC: list[dict[str, list[str]]] = [{}]
_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}
_ANY: dict[str, Any] = {}

TOKEN_PAIR = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "refresh_token"],
    "properties": {
        "access_token": {**_TEXT, "description": "Send it as `Authorization: Bearer …`"},
        "token_type": {"const": "Bearer", "description": "How the access token is sent"},
        "expires_in": {"type": "integer", "description": "Seconds until the access token expires"},
        "refresh_token": {**_TEXT, "description": "Good once, for the next pair"},
    },
}

SIGN_IN = {
    "type": "object",
    "description": "Either a name and a password, or a refresh token; a form with the same fields is read, too",
    "properties": {
        "grant_type": {"enum": ["password", "refresh_token"], "description": "Which of the two it is; may be left out"},
        "username": {**_TEXT, "description": "The name of the account"},
        "password": {**_TEXT, "format": "password", "description": "Its password"},
        "refresh_token": {**_TEXT, "description": "The one of the former pair"},
    },
}

REVOCATION = {"type": "object", "properties": {"refresh_token": {**_TEXT, "description": "Any of the chain"}}}

REVOKED = {
    "type": "object",
    "required": ["success", "data", "message"],
    "properties": {
        "success": {"const": True, "description": "That it was done"},
        "data": {"description": "Always null"},
        "message": {**_TEXT, "description": "What was done"},
    },
}

_ACCEPTED = {
    "description": "Executed, or kept to be executed; a rule may say otherwise what is answered",
    "content": {"application/json": {"schema": _ANY}, "text/plain": {"schema": _TEXT}},
}

_BODY = {
    "application/json": {"schema": _ANY},
    FORM: {"schema": _OBJECT},
    "application/octet-stream": {"schema": {**_TEXT, "format": "binary"}},
}
"""What is sent to a rule: JSON, a form, or anything else, which is read as text."""

HEALTH = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {
            "enum": ["ready", "degraded", "not ready"],
            "description": "How the process is; degraded: it accepts, but no worker executes",
        },
        "checks": {**_OBJECT, "description": "Only for callers with a token"},
    },
}

SCHEMAS = {
    "TokenPair": TOKEN_PAIR,
    "SignIn": SIGN_IN,
    "Revocation": REVOCATION,
    "Revoked": REVOKED,
    "Health": HEALTH,
}
"""What these parts say, by name."""


def content(schema: dict[str, Any]) -> dict[str, Any]:
    """Return JSON content of a schema."""
    return {"application/json": {"schema": schema}}


def refusals(*statuses: int) -> dict[str, Any]:
    """Return the answers for the statuses, by reference to the shared ones."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _form(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {**content(schema), FORM: {"schema": schema}}}


def _operation(tag: str, name: str, summary: str, answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Describe an operation that needs no token, unless `more` says otherwise."""
    return {"tags": [tag], "operationId": name, "summary": summary, "security": _PUBLIC, "responses": answers, **more}


def describe(address: OpenApiOperation) -> dict[str, Any]:
    """Describe an address that its owner declares."""
    if address.answers is None:
        answers = {"200": _ACCEPTED, **refusals(400, 401, 403, 404, 405, 408, 413, 429, 500, 503)}
        body = {"required": True, "content": {"application/json": {"schema": _ANY}}}
        return _operation("webhooks", address.operation, address.summary, answers, requestBody=body)
    shown: dict[str, dict[str, Any]] = {str(status): {"description": text} for status, text in address.answers.items()}
    if "200" in shown:
        shown["200"] |= {"content": {"text/html": {"schema": _TEXT}}}
    return _operation("webhooks", address.operation, address.summary, {**shown, **refusals(404, 429, 500, 503)})


def _rule(method: str) -> dict[str, Any]:
    answers = {
        "200": _ACCEPTED,
        "202": {**_ACCEPTED, "description": "Not done within the time limit; it goes on"},
        **refusals(400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503),
    }
    body = {} if method == "get" else {"requestBody": {"content": _BODY}}
    return _operation("webhooks", f"{method}Webhook", "Send a request to the rule at this address", answers, **body)


_PATH = {
    "name": "path",
    "in": "path",
    "required": True,
    "schema": {**_TEXT, "pattern": "[^0-9/]"},
    "description": "A configuration's path, of one or more segments, or its key; a number is a subscription's",
}

PATHS: dict[str, Any] = {
    "/api/auth/token": {
        "post": _operation(
            "accounts",
            "signIn",
            "Get an access token, with a password or a refresh token",
            {
                "200": {"description": "Signed in", "content": content(_ref("TokenPair"))},
                **refusals(400, 401, 405, 408, 413, 415, 422, 429, 500, 503),
            },
            requestBody={"required": True, "content": content(_ref("SignIn"))},
        )
    },
    "/api/auth/revoke": {
        "post": _operation(
            "accounts",
            "signOut",
            "Revoke a refresh token and all that came from it; without one, the access token that is sent",
            {
                "200": {"description": "Revoked, or not known at all", "content": content(_ref("Revoked"))},
                **refusals(400, 401, 405, 408, 413, 415, 422, 429, 500, 503),
            },
            requestBody={**_form(_ref("Revocation")), "required": False},
            security=[{}, {"bearer": []}],
        )
    },
    "/api/webhooks/{path}": {
        "parameters": [_PATH],
        **{method: _rule(method) for method in ("get", "post", "put", "patch", "delete")},
    },
    "/livez": {
        "get": _operation(
            "health",
            "live",
            "Does the process run",
            {"200": _ACCEPTED | {"description": "It runs"}, "503": {"description": "It needs a restart"}},
        )
    },
    "/readyz": {
        "get": _operation(
            "health",
            "ready",
            "May the process be sent work",
            {
                "200": {"description": "Ready, or accepting without a worker", "content": content(_ref("Health"))},
                "503": {"description": "Not ready", "content": content(_ref("Health"))},
            },
            security=[{}, {"bearer": []}],
        )
    },
}
"""Everything but the bus, and but what others declare."""


def declared_paths(addresses: Iterable[OpenApiOperation]) -> dict[str, Any]:
    """Describe the addresses that others declare, by path and method."""
    paths: dict[str, Any] = {}
    for address in addresses:
        paths.setdefault(address.path, {})[address.method.lower()] = describe(address)
    return paths
