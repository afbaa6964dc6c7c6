"""`bpm process`: check BPMN, DMN and form files, deploy them to a running server, and look at what runs there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, print_reply
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json
from bpm.cli.terminal import say
from bpm.cli.verb_command import add_verbs

app = add_verbs(
    typer.Typer(
        help="Check and deploy BPMN processes, DMN decisions and forms; look at what runs.",
        no_args_is_help=True,
        rich_markup_mode=None,
    ),
    "process",
)

File = Annotated[Path, typer.Argument(help="A BPMN 2.0 file, or by its ending a DMN file (.dmn) or a form (.form).")]
Name = Annotated[str | None, typer.Option("--name", help="What the process is called; else the file's own name.")]
Before = Annotated[int, typer.Argument(help="The id of the earlier version.")]
After = Annotated[int, typer.Argument(help="The id of the later version.")]
Decisions = Annotated[bool, typer.Option("--decisions", help="The ids are of decisions.")]
Event = Annotated[list[str] | None, typer.Option("--trigger-event", help="An event that starts instances.")]


@app.command()
def check(file: File) -> None:
    """Say everything that would keep a file from being deployed, without a server.

    Whether the commands, decisions and forms of its tasks exist is asked when it is deployed.
    """
    from bpm.bpmn import InvalidDefinition, compile_all, parse
    from bpm.dmn import load_decisions
    from bpm.forms import read_form

    text = _read(file)
    try:
        if _is_form(file):
            names = [read_form(text).id]
        else:
            names = list(load_decisions(text)) if _is_dmn(file) else [one.id for one in compile_all(parse(text))]
    except InvalidDefinition as invalid:
        fail(ExitStatus.ERROR, f"{file} can't be deployed", *invalid.errors)
    say(f"{file}: {', '.join(names)}")


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
    """Deploy a file as the next version of each process, decision or form in it."""
    command, fields = _deployment(file, _read(file), name or file.stem, trigger_event or [])
    reply = ServerConnection(url, token, username, password).run(lambda client: client.send(command, fields, {}))
    print_reply(command, reply, output)


@app.command()
def diff(
    before: Before,
    after: After,
    decisions: Decisions = False,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Say what differs between two deployed versions; the exit status is 3 where something does."""
    query = "CompareDecisionDefinitionsQuery" if decisions else "CompareProcessDefinitionsQuery"
    found = ServerConnection(url, token, username, password).send(query, {"beforeId": before, "afterId": after})
    if output.is_text:
        _print_differences(found)
    else:
        print_json(found)
    if found["added"] or found["removed"] or found["changed"]:
        raise typer.Exit(ExitStatus.DIFFERENCE)


def _print_differences(found: Mapping[str, Any]) -> None:
    for element in found["elements"]:
        name = f" ({element['name']})" if element["name"] else ""
        say(f"{element['change']} {element['kind']} {element['elementId'] or 'of the file'}{name}")
        for each in element["fields"] if element["change"] == "changed" else ():
            say(f"  {each['path']}: {_shown(each['before'])} -> {_shown(each['after'])}")
    say(f"{found['added']} added, {found['removed']} removed, {found['changed']} changed")


def _shown(value: str | None) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _deployment(file: Path, text: str, name: str, events: list[str]) -> tuple[str, dict[str, object]]:
    """The message that deploys a file, and its fields."""
    if _is_form(file):
        return "CreateFormDefinitionCommand", {"formJson": text}
    if _is_dmn(file):
        return "CreateDecisionDefinitionCommand", {"dmnXml": text}
    return "CreateProcessDefinitionCommand", {"name": name, "bpmnXml": text, "triggerEvents": events}


def _is_form(file: Path) -> bool:
    return file.suffix.lower() == ".form"


def _is_dmn(file: Path) -> bool:
    return file.suffix.lower() == ".dmn"


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(ExitStatus.ERROR, f"{file} can't be read: {error}")
