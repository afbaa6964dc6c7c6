"""Any application behind the server's own protocol, with limits of a test's own."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from bpm.security.net import AddressList
from bpm.settings import ConnectionSettings, TlsSettings
from bpm.web.connections import Connections, Handshake, Handshakes, HttpConnection, ServerConfig

DESCRIPTORS = 10_000


def config_of(
    app: ASGIApp, descriptors: int = DESCRIPTORS, proxies: str = "", tls: TlsSettings | None = None, **limits: Any
) -> ServerConfig:
    """Return what `bpm.server` gives to uvicorn, for another application and other limits."""
    protocol = HttpConnection if tls is None else Handshake
    config = ServerConfig(app, http=protocol, ws="none", lifespan="off", log_config=None)
    config.handshakes = None if tls is None else Handshakes(tls)
    config.connections = Connections(ConnectionSettings(**limits), AddressList.parse(proxies), descriptors)
    return config


@asynccontextmanager
async def listening(app: ASGIApp, **limits: Any) -> AsyncGenerator[int]:
    """Serve in the running loop; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config_of(app, **limits))
        task = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await task
