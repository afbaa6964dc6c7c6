"""Start the server, play the story, print it, and stay until told to stop."""

import asyncio
import secrets
import socket
import tempfile
from pathlib import Path

import httpx
from pydantic import SecretStr

from bpm.app import App
from bpm.app.settings import load_settings
from bpm.cli.demo.report import print_access, print_kept, print_story
from bpm.cli.demo.rules import Secrets
from bpm.cli.demo.shots import ELSEWHERE, HERE
from bpm.cli.demo.story import Story, Teller
from bpm.cli.exits import ExitStatus, fail
from bpm.client import BusClient, ServerRefused
from bpm.errors import Misconfigured
from bpm.server import Server, configure_logs
from bpm.settings import Settings


def run(port: int, data: Path | None, *, once: bool) -> int:
    """Run the demo and return the exit status."""
    known = Secrets()
    with tempfile.TemporaryDirectory(prefix="bpm-demo-") as folder:
        settings = _settings(port or _free_port(), data or Path(folder), known)
        configure_logs(settings)
        try:
            return asyncio.run(_serve(settings, known, once=once, is_kept=data is not None))
        except Misconfigured as error:
            fail(ExitStatus.ERROR, *error.errors)


async def _serve(settings: Settings, known: Secrets, *, once: bool, is_kept: bool) -> int:
    server = Server(App(settings))
    serving = asyncio.create_task(server.serve())
    while not (server.started or serving.done()):  # noqa: ASYNC110 uvicorn sets no event
        await asyncio.sleep(0.02)
    if serving.done():
        await serving  # raises what kept the server from starting
        return ExitStatus.ERROR
    playing = asyncio.create_task(_play(settings, known))
    await asyncio.wait((serving, playing), return_when=asyncio.FIRST_COMPLETED)
    status = ExitStatus.DONE
    if server.should_exit:  # somebody pressed Ctrl-C
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    else:
        status = _report(playing, settings)
        server.should_exit = once or status is not ExitStatus.DONE
        if not server.should_exit:
            print_access(settings.base_url, settings.admin_username, _password(settings))
        elif is_kept:
            print_kept(settings.data_dir.resolve(), settings.admin_username, _password(settings))
    await serving
    return status


async def _play(settings: Settings, known: Secrets) -> Story:
    async with _caller(settings, HERE) as here, _caller(settings, ELSEWHERE) as elsewhere:
        client = BusClient(here)
        await client.sign_in(settings.admin_username, _password(settings))
        return await Teller(client, {HERE: client, ELSEWHERE: BusClient(elsewhere)}, known).play()


def _report(playing: "asyncio.Task[Story]", settings: Settings) -> ExitStatus:
    try:
        print_story(playing.result(), settings.base_url)
    except (ServerRefused, httpx.TransportError) as error:
        fail(ExitStatus.ERROR, f"the demo went wrong: {error}")
    return ExitStatus.DONE


def _caller(settings: Settings, source: str) -> httpx.AsyncClient:
    """Return a client that calls from one of this machine's addresses."""
    return httpx.AsyncClient(base_url=settings.base_url, transport=httpx.AsyncHTTPTransport(local_address=source))


def _settings(port: int, data: Path, known: Secrets) -> Settings:
    return load_settings(
        host="127.0.0.1",
        port=port,
        public_url=None,
        data_dir=data,
        database_url=None,
        admin_username="admin",
        admin_password=SecretStr(secrets.token_urlsafe(18)),
        trusted_proxies="",
        log_level="error",
        mono={"webhook_secret": known.mono},
        remita={"allowed_ips": HERE},
    )


def _password(settings: Settings) -> str:
    assert settings.admin_password is not None
    return settings.admin_password.get_secret_value()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
