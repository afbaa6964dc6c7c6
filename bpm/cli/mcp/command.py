"""The command `bpm mcp` and its options."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bpm.cli.connection import ServerConnection, Token, Url, fail_refused
from bpm.cli.exits import ExitStatus, fail

if TYPE_CHECKING:
    from bpm.client import BusClient

INSTALL = 'install it with: pip install "bpm-bus[mcp]"'


def mcp(
    allow_commands: Annotated[bool, typer.Option(help="Offer commands, too, as far as the key may send them.")] = False,
    show_payloads: Annotated[bool, typer.Option(help="Show values of payloads; secrets stay hidden.")] = False,
    max_characters: Annotated[int, typer.Option(min=1_000, help="The longest answer of a tool.")] = 20_000,
    url: Url = None,
    token: Token = None,
) -> None:
    """Offer the queries of a running server to an agent as MCP tools, on standard input and output.

    The key says what is offered and answered. Payloads are shown without their values, and nothing is changed, unless
    options allow it.
    """
    try:
        from bpm.cli.mcp.server import McpServer
        from bpm.client import ServerRefused
    except ModuleNotFoundError as error:
        fail(ExitStatus.ERROR, f"bpm mcp needs the extra mcp ({error})", INSTALL)
    if token is None:
        fail(ExitStatus.USAGE, "whose permissions? Set BPM_TOKEN to an API key (CreateApiKeyCommand makes one)")

    async def serve(client: "BusClient") -> None:
        server = McpServer(client, max_characters, allow_commands=allow_commands, show_payloads=show_payloads)
        try:
            await server.run()
        except ServerRefused as refusal:
            fail_refused("bpm mcp", refusal.reply)

    with _ended_by_interrupts():
        ServerConnection(url, token, None, None).run(serve)


@contextmanager
def _ended_by_interrupts() -> Generator[None]:
    """Let Ctrl-C end the process at once: what waits for standard input can't be called off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
