"""What an application is told of a request (ASGI), and of the two ends of its connection."""

import asyncio
from typing import TYPE_CHECKING, Literal, NamedTuple, Self
from urllib.parse import unquote

import httptools
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from bpm.web.connections.request_reader import RequestHead

if TYPE_CHECKING:
    from uvicorn._types import ASGIVersions, HTTPScope

ASGI: "ASGIVersions" = {"version": "3.0", "spec_version": "2.3"}


class Ends(NamedTuple):
    """Who speaks with whom, each as address and port, and by which scheme."""

    client: tuple[str, int] | None
    server: tuple[str, int | None] | None
    scheme: Literal["http", "https"]

    @classmethod
    def of(cls, transport: asyncio.Transport) -> Self:
        """Return those of an open connection."""
        return cls(get_remote_addr(transport), get_local_addr(transport), "https" if is_ssl(transport) else "http")

    @property
    def peer(self) -> str:
        """The client's address; empty for a local socket."""
        return self.client[0] if self.client else ""

    def scope(self, head: RequestHead) -> "HTTPScope":
        """Return what an application is told of a request."""
        target = httptools.parse_url(head.target)
        path = target.path.decode("ascii")
        return {
            "type": "http",
            "asgi": ASGI,
            "http_version": head.version,
            "method": head.method,
            "scheme": self.scheme,
            "path": unquote(path) if "%" in path else path,
            "raw_path": target.path,
            "query_string": target.query or b"",
            "root_path": "",
            "headers": head.headers,
            "client": self.client,
            "server": self.server,
        }
