"""`POST /api/auth/token` and `POST /api/auth/revoke`: signing in, going on, signing out.

The token answer has the shape of OAuth 2.0 (RFC 6749, section 5.1) and no envelope, so that its clients
understand it; parameters that are not known are ignored (section 3.2). Refusals look like all others.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from pydantic_core import to_json
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bpm.accounts import Accounts, TokenPair
from bpm.edge.boundary import answered
from bpm.edge.request import Incoming, IncomingReader, is_json
from bpm.errors import Invalid, Malformed, MethodNotAllowed, UnsupportedMedia
from bpm.security.strict_json import StrictJsonError, parse_json
from bpm.settings import Settings

MAX_BODY_BYTES = 64 * 1024
MAX_FORM_FIELDS = 20
FORM = "application/x-www-form-urlencoded"


def auth_routes(accounts: Accounts, settings: Settings) -> list[Route]:
    """Return the routes of the two endpoints."""
    incoming = IncomingReader(settings)

    async def token(request: Incoming) -> dict[str, Any]:
        return await _token(accounts, request)

    async def revoke(request: Incoming) -> dict[str, Any]:
        return await _revoke(accounts, request)

    return [
        Route("/api/auth/token", AuthEndpoint(token, incoming)),
        Route("/api/auth/revoke", AuthEndpoint(revoke, incoming)),
    ]


class AuthEndpoint:
    """Takes one POST to `work` and sends its result, or the refusal it ended with."""

    def __init__(self, work: Callable[[Incoming], Awaitable[dict[str, Any]]], incoming: IncomingReader) -> None:
        """Take what is done with a request, and how it is read."""
        self._work = work
        self._incoming = incoming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that went away gets none."""
        request = self._incoming(scope, receive)
        answer = await answered(request, self._answer(request))
        if answer is not None:
            answer.headers["Cache-Control"] = "no-store"  # RFC 6749, section 5.1
            await answer(scope, receive, send)

    async def _answer(self, request: Incoming) -> Response:
        if request.method != "POST":
            raise MethodNotAllowed(request.method, "POST")
        body = to_json(await self._work(request))
        return Response(body, 200, {"X-Request-Id": request.request_id}, "application/json")


async def _token(accounts: Accounts, request: Incoming) -> dict[str, Any]:
    fields = _texts(await _fields(request), "username", "password", "refresh_token", "grant_type")
    match fields["grant_type"] or ("refresh_token" if fields["refresh_token"] is not None else "password"):
        case "password":
            username, password = _required(fields, "username", "password")
            return _wire(await accounts.sessions.sign_in(username, password, request.address))
        case "refresh_token":
            (refresh_token,) = _required(fields, "refresh_token")
            return _wire(await accounts.sessions.refresh(refresh_token))
        case _:
            raise Invalid("grant_type: must be password or refresh_token")


async def _revoke(accounts: Accounts, request: Incoming) -> dict[str, Any]:
    """End a session; a refresh token that is not known is no error (RFC 7009, section 2.2)."""
    token = _texts(await _fields(request), "refresh_token")["refresh_token"]
    if token is None:
        token = await _presented_token(accounts, request)
    await accounts.sessions.revoke(token)
    return {"success": True, "data": None, "message": "Token revoked successfully"}


async def _presented_token(accounts: Accounts, request: Incoming) -> str:
    authorization = request.header(b"authorization")
    if authorization is None:
        raise Invalid("refresh_token: is required, unless the access token is sent in Authorization")
    principal = await accounts.authenticate(authorization, request.address)
    if principal.kind != "user":
        raise Invalid("Authorization: holds an API key; RevokeApiKeyCommand revokes it")
    return authorization.partition(" ")[2].strip()


async def _fields(request: Incoming) -> dict[str, Any]:
    """Read the body as JSON or as a form; without a body there are no fields."""
    raw = await request.body(MAX_BODY_BYTES)
    content_type = request.header(b"content-type")
    if not raw and content_type is None:
        return {}
    if is_json(content_type):
        return _json(raw)
    if (content_type or "").partition(";")[0].strip().lower() == FORM:
        return _form(raw)
    raise UnsupportedMedia(f"Content-Type: must be application/json or {FORM}, not {content_type or 'left out'}")


def _json(raw: bytes) -> dict[str, Any]:
    try:
        body = parse_json(raw)
    except StrictJsonError as error:
        raise Malformed(str(error)) from None
    if not isinstance(body, dict):
        raise Malformed('the body must be a JSON object, as in {"username": "…", "password": "…"}')
    return cast("dict[str, Any]", body)


def _form(raw: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise Malformed(f"the form can't be read: {error}") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Malformed("a field stands twice in the form")
    return fields


def _texts(fields: dict[str, Any], *names: str) -> dict[str, str | None]:
    texts = {name: fields.get(name) for name in names}
    wrong = [f"{name}: must be a string" for name, value in texts.items() if not isinstance(value, str | None)]
    if wrong:
        raise Invalid(*wrong)
    return texts


def _required(fields: dict[str, str | None], *names: str) -> list[str]:
    missing = [f"{name}: is required" for name in names if fields[name] is None]
    if missing:
        raise Invalid(*missing)
    return [fields[name] or "" for name in names]


def _wire(tokens: TokenPair) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
    }
