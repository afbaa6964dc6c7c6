"""`bpm process`: check BPMN and DMN files, and deploy them to a running server."""

from pathlib import Path
from typing import Annotated

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, print_reply
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat

app = typer.Typer(
    help="Check and deploy BPMN processes and DMN decisions.", no_args_is_help=True, rich_markup_mode=None
)

File = Annotated[Path, typer.Argument(help="A BPMN 2.0 file, or a DMN file (by its ending .dmn).")]
Name = Annotated[str | None, typer.Option("--name", help="What the process is called; else the file's own name.")]
Event = Annotated[list[str] | None, typer.Option("--trigger-event", help="An event that starts instances.")]


@app.command()
def check(file: File) -> None:
    """Say everything that would keep a file from being deployed, without a server.

    Whether the commands and decisions of its tasks exist is asked when it is deployed.
    """
    from bpm.bpmn import InvalidDefinition, compile_all, parse
    from bpm.dmn import load_decisions

    text = _read(file)
    try:
        names = list(load_decisions(text)) if _is_dmn(file) else [one.id for one in compile_all(parse(text))]
    except InvalidDefinition as invalid:
        fail(ExitStatus.ERROR, f"{file} can't be deployed", *invalid.errors)
    typer.echo(f"{file}: {', '.join(names)}")


@app.command()
def deploy(
    file: File,
    name: Name = None,
    trigger_event: Event = None,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Deploy a file as the next version of each process or decision in it."""
    text = _read(file)
    command = "CreateDecisionDefinitionCommand" if _is_dmn(file) else "CreateProcessDefinitionCommand"
    fields: dict[str, object] = {"dmnXml": text}
    if not _is_dmn(file):
        fields = {"name": name or file.stem, "bpmnXml": text, "triggerEvents": trigger_event or []}
    reply = ServerConnection(url, token, username, password).run(lambda client: client.send(command, fields, {}))
    print_reply(command, reply, output)


def _is_dmn(file: Path) -> bool:
    return file.suffix.lower() == ".dmn"


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(ExitStatus.ERROR, f"{file} can't be read: {error}")
