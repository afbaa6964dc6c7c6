"""`POST /api/auth/token` and `POST /api/auth/revoke`: signing in, going on, signing out.

The token answer has the shape of OAuth 2.0 (RFC 6749, section 5.1) and no envelope, so that its clients
understand it; parameters that are not known are ignored (section 3.2). Refusals look like all others.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bpm.accounts import Accounts, TokenPair
from bpm.edge.answer import JSON, NO_STORE, Answer, send_answer
from bpm.edge.envelope import success
from bpm.edge.error_boundary import answer_or_problem
from bpm.edge.json_object import json_object
from bpm.edge.request import Incoming, IncomingReader, is_json
from bpm.errors import Invalid, Malformed, MethodNotAllowed, UnsupportedMedia
from bpm.exact_json import write_json
from bpm.media import FORM, media_type_of
from bpm.settings import Settings

MAX_BODY_BYTES = 64 * 1024
MAX_FORM_FIELDS = 20


def auth_routes(accounts: Accounts, settings: Settings) -> list[Route]:
    """Return the routes of the two endpoints."""
    incoming = IncomingReader(settings)

    async def token(request: Incoming) -> Answer:
        return await _token(accounts, request)

    async def revoke(request: Incoming) -> Answer:
        return await _revoke(accounts, request)

    return [
        Route("/api/auth/token", AuthEndpoint(token, incoming)),
        Route("/api/auth/revoke", AuthEndpoint(revoke, incoming)),
    ]


class AuthEndpoint:
    """Takes one request to `work` and sends its result, or the refusal it ended with."""

    def __init__(self, work: Callable[[Incoming], Awaitable[Answer]], incoming: IncomingReader, *methods: str) -> None:
        """Take what is done with a request, how it is read, and the methods there are, POST if none is given."""
        self._methods = methods or ("POST",)
        self._work = work
        self._incoming = incoming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that went away gets none."""
        request = self._incoming(scope, receive)
        answer = await answer_or_problem(request.request_id, self._answer(request))
        if answer is not None:  # not to be stored: RFC 6749, section 5.1
            await send_answer(send, answer.with_headers(NO_STORE), request.request_id)

    async def _answer(self, request: Incoming) -> Answer:
        if request.method not in self._methods:
            raise MethodNotAllowed(request.method, ", ".join(self._methods))
        return await self._work(request)


async def _token(accounts: Accounts, request: Incoming) -> Answer:
    fields = texts(await _fields(request), "username", "password", "refresh_token", "grant_type")
    match fields["grant_type"] or ("refresh_token" if fields["refresh_token"] is not None else "password"):
        case "password":
            username, password = required(fields, "username", "password")
            return _wire(await accounts.sessions.sign_in(username, password, request.address))
        case "refresh_token":
            (refresh_token,) = required(fields, "refresh_token")
            return _wire(await accounts.sessions.refresh(refresh_token))
        case _:
            raise Invalid("grant_type: must be password or refresh_token")


async def _revoke(accounts: Accounts, request: Incoming) -> Answer:
    """End a session; a refresh token that is not known is no error (RFC 7009, section 2.2)."""
    token = texts(await _fields(request), "refresh_token")["refresh_token"]
    if token is None:
        token = await _presented_token(accounts, request)
    await accounts.sessions.revoke(token)
    return success(b"null", "Token revoked successfully")


async def _presented_token(accounts: Accounts, request: Incoming) -> str:
    authorization = request.headers.get("authorization")
    if authorization is None:
        raise Invalid("refresh_token: is required, unless the access token is sent in Authorization")
    principal = await accounts.authenticate(authorization, request.address)
    if principal.kind != "user":
        raise Invalid("Authorization: holds an API key; RevokeApiKeyCommand revokes it")
    return authorization.partition(" ")[2].strip()


async def _fields(request: Incoming) -> dict[str, Any]:
    """Read the body as JSON or as a form; without a body there are no fields."""
    raw = await request.body.read(MAX_BODY_BYTES)
    content_type = request.headers.get("content-type")
    if not raw and content_type is None:
        return {}
    if is_json(content_type):
        return json_object(raw, '{"username": "…", "password": "…"}')
    if media_type_of(content_type) == FORM:
        return _form(raw)
    raise UnsupportedMedia(f"Content-Type: must be application/json or {FORM}, not {content_type or 'left out'}")


def _form(raw: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise Malformed(f"the form can't be read: {error}") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Malformed("a field stands twice in the form")
    return fields


def texts(fields: dict[str, Any], *names: str) -> dict[str, str | None]:
    """Return the named fields, None where one is left out; raises `Invalid` for what is no text."""
    texts = {name: fields.get(name) for name in names}
    wrong = [f"{name}: must be a string" for name, value in texts.items() if not isinstance(value, str | None)]
    if wrong:
        raise Invalid(*wrong)
    return texts


def required(fields: dict[str, str | None], *names: str) -> list[str]:
    """Return the named fields; raises `Invalid` for each that is left out."""
    missing = [f"{name}: is required" for name in names if fields[name] is None]
    if missing:
        raise Invalid(*missing)
    return [fields[name] or "" for name in names]


def _wire(tokens: TokenPair) -> Answer:
    fields = {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
    }
    return Answer(200, write_json(fields), JSON)
