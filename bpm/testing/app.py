"""The whole application inside the test's own process, spoken to without a socket."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bpm.app import App
from bpm.app.settings import settings_type
from bpm.clock import Clock, system_clock
from bpm.testing.client import ADMINISTRATOR, PASSWORD, TOKEN_SECONDS, ServerClient
from bpm.testing.folder import fill_folder

BASE_URL = "http://bpm.test"
CLIENT = ("127.0.0.1", 40000)
"""The address that requests seem to come from."""


class RunningApp(ServerClient):
    """A started application and a client of it, signed in as the administrator."""

    def __init__(self, app: App, http: httpx.AsyncClient) -> None:
        """Take the application, to look behind the interface, and the client that speaks to it."""
        super().__init__(http)
        self.app = app


@asynccontextmanager
async def running_app(
    data_dir: Path | None = None, clock: Clock = system_clock, **settings: Any
) -> AsyncGenerator[RunningApp]:
    """Start the application, sign in, and stop it in order at the end.

    `settings` are those of `bpm.app.settings`; without `data_dir` the data is thrown away.
    """
    with tempfile.TemporaryDirectory(prefix="bpm-") as folder:
        values: dict[str, Any] = {"admin_username": ADMINISTRATOR, "admin_password": PASSWORD, "data_dir": folder}
        values["access_token_seconds"] = TOKEN_SECONDS
        values |= settings if data_dir is None else {**settings, "data_dir": data_dir}
        chosen = settings_type()(**values)
        await fill_folder(chosen)
        app = App(chosen, clock)
        transport = httpx.ASGITransport(app=app, client=CLIENT)
        async with (
            app.pages.router.lifespan_context(app.pages),
            httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http,
        ):
            running = RunningApp(app, http)
            await running.login()
            yield running
