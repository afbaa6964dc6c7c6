"""A request as the server hands it over, for the addresses where every microsecond counts."""

import asyncio
import re
from functools import lru_cache
from typing import Protocol

from starlette.types import Receive, Scope

from bpm.errors import Malformed, TooLarge, TooSlow, UnsupportedMedia
from bpm.media import packing
from bpm.security.identifiers import new_id
from bpm.security.permissions import Principal
from bpm.security.proxies import Proxies
from bpm.settings import Settings

LARGEST_ID = 2**63 - 1

ORGANIZATION = b"x-organization-id"
"""The header in which an account of the installation names the organisation that it acts for."""

_ORGANIZATION_ID = re.compile(r"[1-9][0-9]{0,18}")
_SANE_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
_JSON_TYPE = re.compile(
    r"application/(?:[\w.!#$&^-]+\+)?json((?:\s*;\s*[\w-]+=[^;]*)*)\s*;?\s*", re.ASCII | re.IGNORECASE
)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\";\s]*)", re.IGNORECASE)


class Authenticator(Protocol):
    """Knows callers by their `Authorization` header."""

    async def authenticate(self, authorization: str | None, address: str) -> Principal:
        """Return who is asking; raises `Unauthenticated`, or `RateLimited` after too many wrong tries."""
        ...

    async def acting_for(self, principal: Principal, organization_id: int) -> Principal:
        """Return somebody as they act for another organisation; raises `Forbidden` and `NotFound`."""
        ...


class Disconnected(Exception):
    """The client went away before its body was complete."""


class Incoming:
    """One request: headers by lower-case name, the peer's address, its id, and a body that is read once."""

    __slots__ = ("_body_seconds", "_receive", "address", "headers", "method", "request_id")

    def __init__(self, scope: Scope, receive: Receive, proxies: Proxies, body_seconds: float) -> None:
        """Take the request line and headers; the body stays unread, and may take so many seconds."""
        self._receive = receive
        self._body_seconds = body_seconds
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.address = address_of(scope, proxies)
        self.request_id = request_id_of(self.header(b"x-request-id"))

    def header(self, name: bytes) -> str | None:
        """Return a header as text, or None; a repeated one counts by its last value."""
        value = self.headers.get(name)
        return value.decode("latin-1") if value is not None else None

    async def caller(self, accounts: Authenticator) -> Principal:
        """Return who is asking, as they act for the organisation they name, if any.

        Raises what the authenticator raises, and `Malformed` for what can't be an organisation's number.
        """
        principal = await accounts.authenticate(self.header(b"authorization"), self.address)
        named = self.header(ORGANIZATION)
        if named is None:
            return principal
        if not _ORGANIZATION_ID.fullmatch(named) or int(named) > LARGEST_ID:
            raise Malformed("X-Organization-Id: must be the number of an organisation")
        return await accounts.acting_for(principal, int(named))

    def require_json(self) -> None:
        """Raise `UnsupportedMedia` unless the headers announce plain JSON in UTF-8."""
        content_type = self.header(b"content-type")
        if not is_json(content_type):
            raise UnsupportedMedia(f"Content-Type: must be application/json, not {content_type or 'left out'}")
        encoding = packing(self.header(b"content-encoding") or "")
        if encoding is not None:
            raise UnsupportedMedia(f"Content-Encoding: {encoding} is not read here; send the body as it is")

    async def body(self, limit: int) -> bytes:
        """Read the body of at most `limit` bytes, and not a byte more than it takes to know.

        Raises `TooLarge`, `TooSlow` when it does not arrive in time, and `Disconnected`.
        """
        _require_within(limit, int(self.headers.get(b"content-length", 0)))
        try:
            async with asyncio.timeout(self._body_seconds):
                return await self._pieces(limit)
        except TimeoutError:
            raise TooSlow(f"the body did not arrive within {self._body_seconds:g} seconds") from None

    async def _pieces(self, limit: int) -> bytes:
        body = bytearray()
        while (event := await self._receive())["type"] == "http.request":
            body += event.get("body", b"")
            _require_within(limit, len(body))
            if not event.get("more_body"):
                return bytes(body)
        raise Disconnected


class IncomingReader:
    """Reads requests as the settings say."""

    def __init__(self, settings: Settings) -> None:
        """Take whom to believe about addresses, and how long a body may take."""
        self._proxies = Proxies.parse(settings.trusted_proxies, settings.proxy_header)
        self._body_seconds = settings.connections.body_seconds

    def __call__(self, scope: Scope, receive: Receive) -> Incoming:
        """Return a request whose body is unread."""
        return Incoming(scope, receive, self._proxies, self._body_seconds)


def request_id_of(value: str | None) -> str:
    """Return the caller's own request id if it is sane (1-128 letters, digits, `_.:/+=@-`), else a new one."""
    return value if value is not None and _SANE_ID.fullmatch(value) else new_id()


def address_of(scope: Scope, proxies: Proxies) -> str:
    """Return the client's address, as the trusted proxies before us tell it; empty for a local socket."""
    client: tuple[str, int] | None = scope.get("client")
    peer = client[0] if client else ""
    if not proxies.trusted:
        return peer
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return proxies.client(peer, headers)


@lru_cache(maxsize=64)
def is_json(content_type: str | None) -> bool:
    """Tell whether a `Content-Type` is `application/json` or `application/…+json`, in UTF-8 (RFC 8259, 6839)."""
    match = _JSON_TYPE.fullmatch(content_type or "")
    return match is not None and all(c.lower() in {"utf-8", "utf8"} for c in _CHARSET.findall(match[1]))


def _require_within(limit: int, size: int) -> None:
    if size > limit:
        raise TooLarge(f"the body is over the limit of {limit} bytes")
