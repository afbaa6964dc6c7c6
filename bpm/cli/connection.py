"""Which server a command speaks to, and as whom."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import OutputFormat, print_json, print_value
from bpm.cli.terminal import say

if TYPE_CHECKING:
    import ssl

    from bpm.cli.lasting_client import LastingClient
    from bpm.client import BusClient, Reply

T = TypeVar("T")

SECONDS = 60.0
MAYBE_DONE = "what was sent may have been done all the same; look before you send it again"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
HIGHEST_PORT = 65_535

Url = Annotated[
    str | None, typer.Option("--url", envvar="BPM_URL", help="The server; else where the settings say it listens.")
]
Token = Annotated[str | None, typer.Option("--token", envvar="BPM_TOKEN", help="An access token or API key.")]
Username = Annotated[str | None, typer.Option("--username", envvar="BPM_USERNAME", help="Whom to sign in.")]
Password = Annotated[str | None, typer.Option("--password", envvar="BPM_PASSWORD", help="Better in BPM_PASSWORD.")]


@dataclass(frozen=True, slots=True)
class ServerConnection:
    """An address, and a token or a name with its password."""

    url: str | None
    token: str | None
    username: str | None
    password: str | None

    def run(self, work: "Callable[[LastingClient], Awaitable[T]]") -> T:
        """Sign in if need be and do the work; a server that is away or refuses ends the command."""
        if self.token is None and (self.username is None or self.password is None):
            fail(ExitStatus.USAGE, "who are you? Set BPM_TOKEN, or BPM_USERNAME and BPM_PASSWORD")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            fail(ExitStatus.USAGE, "the token holds characters that no token has; set BPM_TOKEN to it alone")

        async def as_somebody(client: "LastingClient") -> T:
            await self._sign_in(client)
            return await work(client)

        return as_nobody(server_url(self.url), as_somebody)

    def send(self, name: str, fields: Mapping[str, Any]) -> Any:
        """Send one message and return its data; a refusal ends the command."""
        return self.run(lambda client: send_message(client, name, fields))

    async def _sign_in(self, client: "BusClient") -> None:
        from bpm.client import ServerRefused

        client.token = self.token
        if self.token is None:
            try:
                await client.sign_in(self.username or "", self.password or "")
            except ServerRefused as refusal:
                fail_refused("could not sign in", refusal.reply)


def as_nobody(url: str, work: "Callable[[LastingClient], Awaitable[T]]") -> T:
    """Do the work with a client that has not signed in; a server that is away ends the command."""
    import asyncio

    import httpx

    from bpm.cli.lasting_client import OtherServer

    host = host_of(url, "http://127.0.0.1:8000")
    try:
        return asyncio.run(_talk(url, host, work))
    except OtherServer as other:
        fail(ExitStatus.ERROR, *other.args)
    except (httpx.LocalProtocolError, UnicodeEncodeError) as error:
        fail(ExitStatus.USAGE, f"that can't be sent: {error}")
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        fail(
            ExitStatus.ERROR,
            f"no server answers at {url} ({_reason(error)})",
            "start one with `bpm serve`, or name another with --url or BPM_URL",
        )
    except httpx.TimeoutException:
        fail(ExitStatus.ERROR, f"the server at {url} did not answer within {SECONDS:g} seconds", MAYBE_DONE)
    except (httpx.TransportError, httpx.DecodingError) as error:
        fail(ExitStatus.ERROR, f"the connection to {url} ended before the answer ({_reason(error)})", MAYBE_DONE)


def host_of(url: str, example: str) -> str:
    """Return the host of an address; what is none ends the command."""
    import httpx

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > HIGHEST_PORT:
        fail(ExitStatus.USAGE, f"{url!r} is not an address; write it as {example}")
    return parsed.host


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _talk(url: str, host: str, work: "Callable[[LastingClient], Awaitable[T]]") -> T:
    import httpx

    from bpm.cli.lasting_client import LastingClient

    # an HTTP_PROXY of the environment is not meant for this machine itself
    outside = host not in LOOPBACK
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS, trust_env=outside, verify=trust(url)) as http:
        client = LastingClient(http)
        client.exact_numbers = True
        return await work(client)


def trust(url: str) -> "ssl.SSLContext | bool":
    """Return whom to trust at an address: the system's authorities, or those of `SSL_CERT_FILE`.

    On this machine itself httpx would read no variable of the environment.
    """
    import ssl

    return ssl.create_default_context() if url.startswith("https:") else True


async def send_message(client: "BusClient", name: str, fields: Mapping[str, Any]) -> Any:
    """Send a message as one of several and return its data; a refusal ends the command."""
    reply = await client.send(name, fields)
    if not reply.ok:
        fail_refused(name, reply)
    return reply.data


def fail_refused(what: str, reply: "Reply") -> None:
    """End with the server's words: refused, or an error of its own."""
    status = ExitStatus.REFUSED if reply.status < 500 else ExitStatus.ERROR
    others = [sentence for sentence in reply.errors if sentence != reply.message]
    fail(status, f"{what} ({reply.status}): {reply.message}", *others)


def server_url(given: str | None) -> str:
    """Return the address that is given, or else where the settings say a server listens."""
    from bpm.errors import Misconfigured
    from bpm.settings import load_settings

    if given is not None:
        return given
    try:
        return load_settings().base_url
    except Misconfigured:
        return "http://127.0.0.1:8000"


def print_reply(what: str, reply: "Reply", output: OutputFormat) -> None:
    """Print the answer to a message; a refusal ends the command."""
    if not output.is_text:
        print_json(reply.body)
    if not reply.ok:
        fail_refused(what, reply)
    if output.is_text:
        say(reply.message)
        print_value(reply.data)
