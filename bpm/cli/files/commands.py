"""`bpm validate`, `diff`, `apply` and `export`: rules, processes, decisions and forms as files in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json
from bpm.cli.terminal import say

if TYPE_CHECKING:
    from bpm.cli.files.folder import Folder

FolderOption = Annotated[Path, typer.Option("--folder", "-f", help="The folder of the files.")]
Label = Annotated[str | None, typer.Option(help="Only the rules that have this label.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete the rules with the label that no file holds.")]
Base = Annotated[str | None, typer.Option(help="The base of a plan that was looked at; refused if it is stale.")]


def validate(folder: FolderOption, label: Label = None) -> None:
    """Say everything that is wrong with a folder, without a server."""
    from bpm.cli.files.check import check_folder
    from bpm.cli.registry import offline_registry

    read = _read(folder)
    problems = check_folder(read, offline_registry(), label)
    if problems:
        fail(ExitStatus.ERROR, f"{folder} can't be applied", *problems)
    say(f"{folder}: {len(read.parts)} parts are right")


def diff(
    folder: FolderOption,
    label: Label = None,
    prune: Prune = False,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Print what `bpm apply` would change; the exit status is 3 when there is something."""
    connection = ServerConnection(url, token, username, password)
    plan = connection.send("PlanConfigurationQuery", _fields(folder, label, prune))
    _print_plan(plan, output)
    if plan["changes"]:
        raise typer.Exit(ExitStatus.DIFFERENCE)


def apply(
    folder: FolderOption,
    label: Label = None,
    prune: Prune = False,
    base: Base = None,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Make everything on the server as in the files, in one transaction, and print what was changed.

    What no file holds stays, unless --prune says otherwise. With --base of `bpm diff` nothing else is done than what
    was shown there.
    """
    connection, fields = ServerConnection(url, token, username, password), _fields(folder, label, prune)
    known = base or connection.send("PlanConfigurationQuery", fields)["base"]
    try:
        plan = connection.send("ApplyConfigurationCommand", {**fields, "base": known})
    except KeyboardInterrupt:
        say(
            "bpm: interrupted before the answer: all of it may have been applied, or nothing; `bpm diff` tells",
            err=True,
        )
        raise
    _print_plan(plan, output)


def export(
    folder: FolderOption,
    label: Label = None,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
) -> None:
    """Write what the server has as files; applying them changes nothing."""
    from bpm.cli.files.folder import FolderError, write_folder

    fields = {} if label is None else {"label": label}
    found = ServerConnection(url, token, username, password).send("ExportConfigurationQuery", fields)
    try:
        written = write_folder(folder, found["parts"], found["files"])
    except (FolderError, OSError) as error:
        fail(ExitStatus.ERROR, str(error))
    for name in written:
        say(name)
    if found["leftOut"]:
        say(f"left out, for you may not change them: {', '.join(found['leftOut'])}", err=True)


def _fields(folder: Path, label: str | None, prune: bool) -> dict[str, Any]:
    named, read = {} if label is None else {"label": label}, _read(folder)
    if prune and label is not None and not any(part.get("kind") == "rule" for part in read.parts):
        fail(
            ExitStatus.ERROR,
            f"no file of {folder} holds a rule, so --prune would delete every rule that is labelled {label}",
            "look whether it is the right folder; without --prune nothing is deleted",
        )
    return {**read.fields, **named, **({"prune": True} if prune else {})}


def _read(folder: Path) -> "Folder":
    from bpm.cli.files.folder import FolderError, read_folder

    try:
        return read_folder(folder)
    except FolderError as error:
        fail(ExitStatus.ERROR, f"{folder} can't be read as a configuration", *error.sentences)


def _print_plan(plan: dict[str, Any], output: OutputFormat) -> None:
    from bpm.cli.files.differences import lines_of_plan

    if not output.is_text:
        print_json(plan)
        return
    for line in lines_of_plan(plan):
        say(line)
    say(f"base {plan['base']}")
