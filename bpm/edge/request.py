"""A request as the server hands it over: its line and headers, who sent it, and a body that is still to be read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from starlette.types import Receive, Scope

from bpm.edge.body import Body
from bpm.edge.headers import read_headers
from bpm.errors import Malformed, UnsupportedMedia
from bpm.media import packing
from bpm.security.identifiers import new_id
from bpm.security.net import canonical
from bpm.security.permissions import Principal
from bpm.security.proxies import Proxies
from bpm.settings import Settings

LARGEST_ID = 2**63 - 1

ORGANIZATION = "x-organization-id"
"""The header in which an account of the installation names the organisation that it acts for."""

_ORGANIZATION_ID = re.compile(r"[1-9][0-9]{0,18}")
_SANE_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
_JSON_TYPE = re.compile(
    r"application/(?:[\w.!#$&^-]+\+)?json\s*((?:;\s*[\w-]+=[^;]*)*)(?:;\s*)?", re.ASCII | re.IGNORECASE
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


@dataclass(slots=True)
class Incoming:
    """One request: headers by lower-case name, the client's address, its ids, and a body that is read once.

    `work_id` is one that nobody chose, where the caller named its request; see `Envelope.work_id`.
    """

    method: str
    headers: Mapping[str, str]
    address: str
    request_id: str
    work_id: str
    body: Body

    async def caller(self, accounts: Authenticator) -> Principal:
        """Return who is asking by `Authorization`, as `acting` does; raises what the authenticator raises."""
        return await self.acting(accounts, await accounts.authenticate(self.headers.get("authorization"), self.address))

    async def acting(self, accounts: Authenticator, principal: Principal) -> Principal:
        """Return somebody as they act for the organisation that the request names, if any.

        Raises what the authenticator raises, and `Malformed` for what can't be an organisation's number.
        """
        named = self.headers.get(ORGANIZATION)
        if named is None:
            return principal
        if not _ORGANIZATION_ID.fullmatch(named) or int(named) > LARGEST_ID:
            raise Malformed("X-Organization-Id: must be the number of an organisation")
        return await accounts.acting_for(principal, int(named))

    def require_json(self) -> None:
        """Raise `UnsupportedMedia` unless the headers announce plain JSON in UTF-8."""
        content_type = self.headers.get("content-type")
        if not is_json(content_type):
            raise UnsupportedMedia(f"Content-Type: must be application/json, not {content_type or 'left out'}")
        encoding = packing(self.headers.get("content-encoding", ""))
        if encoding is not None:
            raise UnsupportedMedia(f"Content-Encoding: {encoding} is not read here; send the body as it is")


class IncomingReader:
    """Reads requests as the settings say."""

    def __init__(self, settings: Settings, *, takes_request_ids: bool = True) -> None:
        """Take whom to believe about addresses.

        `takes_request_ids`: a caller may name its request. A webhook's is stored by its id, so that is always new.
        """
        self._certificate_header = (settings.client_certificate_header or "").lower()
        self._proxies = Proxies.parse(settings.trusted_proxies, settings.proxy_header)
        self._takes_request_ids = takes_request_ids

    def __call__(self, scope: Scope, receive: Receive) -> Incoming:
        """Return a request whose body is unread."""
        headers = read_headers(scope["headers"])
        if self._certificate_header in headers and not is_from_proxy(scope, self._proxies):
            del headers[self._certificate_header]
        named = headers.get("x-request-id") if self._takes_request_ids else None
        work_id = new_id()
        return Incoming(
            method=scope["method"],
            headers=headers,
            address=address_of(scope, headers, self._proxies),
            request_id=request_id_of(named, work_id),
            work_id=work_id,
            body=Body(receive, int(headers.get("content-length", 0))),
        )


def request_id_of(value: str | None, otherwise: str | None = None) -> str:
    """Return the caller's own request id if it is sane (1-128 letters, digits, `_.:/+=@-`), else that or a new one."""
    return value if value is not None and _SANE_ID.fullmatch(value) else otherwise or new_id()


def is_from_proxy(scope: Scope, proxies: Proxies) -> bool:
    """Tell whether a request comes from a proxy that is believed."""
    client: tuple[str, int] | None = scope.get("client")
    return client is not None and proxies.trusted.allows(canonical(client[0]))


def address_of(scope: Scope, headers: Mapping[str, str], proxies: Proxies) -> str:
    """Return the client's address, as the trusted proxies before us tell it; empty for a local socket."""
    client: tuple[str, int] | None = scope.get("client")
    return proxies.client(client[0] if client else "", headers)


@lru_cache(maxsize=64)
def is_json(content_type: str | None) -> bool:
    """Tell whether a `Content-Type` is `application/json` or `application/…+json`, in UTF-8 (RFC 8259, 6839)."""
    match = _JSON_TYPE.fullmatch(content_type or "")
    return match is not None and all(c.lower() in {"utf-8", "utf8"} for c in _CHARSET.findall(match[1]))
