"""`bpm requests tail` and `bpm listen`: requests as they come, shown or forwarded to a program on this machine."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, fail_refused, send_message, server_url
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json
from bpm.cli.terminal import say
from bpm.terminal_text import in_one_line

if TYPE_CHECKING:
    from bpm.cli.lasting_client import LastingClient
    from bpm.client import BusClient

SECONDS = 1.0
"""How long to wait before a feed that broke is taken up again."""

PAGE_SIZE = 100

RuleKey = Annotated[str | None, typer.Argument(metavar="RULE", help="Only the requests of the rule with this key.")]
RuleOption = Annotated[str | None, typer.Option("--rule", help="Only those of the rule with this key.")]
Since = Annotated[str | None, typer.Option(help="Begin here instead, as in 2026-11-28T08:00:00Z.")]
Follow = Annotated[bool, typer.Option(help="Wait for more; without, end when there is no more.")]
ForwardTo = Annotated[str, typer.Option(help="Where each request is sent, as in http://127.0.0.1:3000/hooks.")]


@dataclass(slots=True)
class Position:
    """How far requests were read: up to the moment `at`, and of those of this moment the ones in `seen`."""

    at: str
    seen: list[str] = field(default_factory=list[str])

    def pass_by(self, request: dict[str, Any]) -> None:
        """Go on to a request."""
        at = request["receivedAt"]
        self.seen = [*(self.seen if at == self.at else ()), request["requestId"]]
        self.at = at


@dataclass(slots=True)
class StoredPosition:
    """Where `bpm listen` stopped, for each server, rule and target, in the user's state folder."""

    name: str

    @property
    def file(self) -> Path:
        """The file of this position."""
        import hashlib
        import os

        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "bpm"
        return folder / f"listen-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}.json"

    def load(self) -> Position | None:
        """Return the position, or None for the first time."""
        from bpm.exact_json import read_json

        try:
            kept = read_json(self.file.read_bytes())
            return Position(kept["at"], kept["seen"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, position: Position) -> None:
        """Keep it."""
        from bpm.exact_json import write_json

        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(write_json({"at": position.at, "seen": position.seen}))


def tail(
    rule: RuleOption = None,
    since: Since = None,
    follow: Follow = True,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Print requests as they come.

    A server that goes away is waited for.
    """

    async def work(client: "LastingClient") -> None:
        client.is_patient = follow
        async for request in new_requests(client, rule, Position(since or _now()), follow=follow):
            if output.is_text:
                moment, verdict = request["receivedAt"][11:19], request["verdict"]
                say(in_one_line(f"{moment}  {request['method']} {request['path']}  {verdict}  {request['requestId']}"))
            else:
                print_json(request)

    _until_interrupted(ServerConnection(url, token, username, password), work)


def listen(
    forward_to: ForwardTo,
    rule: RuleKey = None,
    since: Since = None,
    follow: Follow = True,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Forward requests to a program on this machine as they come, and print its answers.

    The next time it goes on where it stopped; a server that goes away is waited for. Signatures and credentials,
    which no view shows, are left out. One of them is edited and sent again by
    `bpm requests resend ID --edit --forward-to URL`.
    """
    from bpm.cli.forwarding import Forwarder, UnsendableRequest

    stored = StoredPosition(f"{server_url(url)} {rule} {forward_to}")
    position = Position(since) if since is not None else stored.load() or Position(_now())

    async def work(client: "LastingClient") -> None:
        client.is_patient = follow
        async with Forwarder(forward_to) as forwarder:
            async for request in new_requests(client, rule, position, follow=follow):
                detail = await client.cmd("GetInboundRequestByIdQuery", requestId=request["requestId"])
                try:
                    answer = await forwarder.send(detail, follow=follow)
                except UnsendableRequest as error:
                    say(f"bpm: {error}", err=True)
                else:
                    answer.print(output)
                position.pass_by(request)
                stored.save(position)

    stored.save(position)
    if follow and output.is_text:
        say(f"What comes to {rule or 'any rule'} is sent to {forward_to}, from {position.at} on. Ctrl-C ends.")
    _until_interrupted(ServerConnection(url, token, username, password), work)


async def new_requests(
    client: "BusClient", rule: str | None, position: Position, *, follow: bool
) -> AsyncIterator[dict[str, Any]]:
    """Yield requests from a position on, the oldest first; without `follow` until there are no more."""
    passed = Position(position.at, list(position.seen))
    filters = {} if rule is None else {"configKey": rule}
    async for _ in _news(client, filters, follow=follow):
        is_more = True
        while is_more:
            page = await _page(client, {**filters, "startDate": passed.at})
            fresh = [each for each in page if each["requestId"] not in passed.seen]
            for request in fresh:
                passed.pass_by(request)
                yield request
            is_more = bool(fresh) and (len(page) >= PAGE_SIZE or not follow)


async def _news(client: "BusClient", filters: dict[str, Any], *, follow: bool) -> AsyncIterator[None]:
    """Yield at once, and then whenever the newest request is another one; a feed that ends is taken up again."""
    import asyncio

    import httpx

    yield
    while follow:
        try:
            async for _ in client.listen("GetInboundRequestListQuery", **filters, pageSize=1):
                yield
        except httpx.TransportError:
            await asyncio.sleep(SECONDS)
        yield


async def _page(client: "BusClient", filters: dict[str, Any]) -> list[dict[str, Any]]:
    order = {"sortBy": "receivedAt", "sortDirection": "asc", "pageSize": PAGE_SIZE}
    return (await send_message(client, "GetInboundRequestListQuery", {**filters, **order}))["items"]


def _until_interrupted(connection: ServerConnection, work: Any) -> None:
    """Work until the user has had enough; that is no failure."""
    from bpm.client import ServerRefused

    try:
        connection.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(ExitStatus.DONE) from None
    except ServerRefused as refusal:
        fail_refused("refused", refusal.reply)
    except ConnectionError as error:
        fail(ExitStatus.ERROR, str(error))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
