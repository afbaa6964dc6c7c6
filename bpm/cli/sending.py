"""`bpm send`: one command or query to a running server."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, print_reply
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.fields import read_fields
from bpm.cli.output import FormatOption, OutputFormat, print_data

Name = Annotated[str, typer.Argument(metavar="TYPE", help="The $type, as `bpm types` lists them.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE", help="The fields; values that are JSON count as JSON. `-` reads a body."),
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
    fields = read_fields(name, words or [], file)
    if dry_run:
        _check(name, fields)
        print_data({"$type": name, **fields}, output)
        return
    headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
    if organization is not None:
        headers["x-organization-id"] = str(organization)
    reply = ServerConnection(url, token, username, password).run(lambda client: client.send(name, fields, headers))
    print_reply(name, reply, output)


def _check(name: str, fields: dict[str, Any]) -> None:
    from bpm.cli.registry import offline_registry
    from bpm.errors import BpmError

    try:
        offline_registry().decode(name, fields)
    except BpmError as error:
        fail(ExitStatus.ERROR, error.message, *error.errors)
