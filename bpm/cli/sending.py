"""`bpm send`: one command or query to a running server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, print_reply
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.fields import read_fields, with_texts
from bpm.cli.output import FormatOption, OutputFormat, print_data

if TYPE_CHECKING:
    from bpm.client import BusClient, Reply

Name = Annotated[str, typer.Argument(metavar="TYPE", help="The $type, as `bpm types` lists them.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE",
        help="The fields; values that are JSON count as JSON, unless a text is asked for. `-` reads a body.",
    ),
]
File = Annotated[Path | None, typer.Option("--file", "-f", help="A JSON body; `-` is standard input.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check the message, without a server, and print it.")]
Key = Annotated[str | None, typer.Option("--idempotency-key", help="The same key has its effect once.")]
Organization = Annotated[int | None, typer.Option("--organization", help="The organisation to act for.")]


def send(
    name: Name,
    words: Words = None,
    file: File = None,
    dry_run: DryRun = False,
    idempotency_key: Key = None,
    organization: Organization = None,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Send a command or query and print the answer."""
    words = words or []
    fields = read_fields(name, words, file)
    if dry_run:
        print_data({"$type": name, **_checked(name, fields, words)}, output)
        return
    headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
    if organization is not None:
        headers["x-organization-id"] = str(organization)

    async def work(client: "BusClient") -> "Reply":
        reply = await client.send(name, fields, headers)
        texts = None if reply.ok else with_texts(fields, words, reply.errors)
        return reply if texts is None else await client.send(name, texts, headers)

    print_reply(name, ServerConnection(url, token, username, password).run(work), output)


def _checked(name: str, fields: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """Return the fields as they would be sent; ends the command for a message that would be refused."""
    from bpm.cli.registry import offline_registry
    from bpm.errors import BpmError

    registry = offline_registry()
    try:
        registry.decode(name, fields)
    except BpmError as error:
        texts = with_texts(fields, words, error.errors)
        if texts is not None:
            return _checked(name, texts, [])
        fail(ExitStatus.ERROR, error.message, *error.errors)
    return fields
