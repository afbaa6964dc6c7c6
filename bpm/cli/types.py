"""`bpm types`: what can be sent, from a server, or from what is installed here."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_table, print_value
from bpm.cli.terminal import say

if TYPE_CHECKING:
    from bpm.bus import Registration

app = typer.Typer(help="List every command and query.", rich_markup_mode=None)

SUMMARY = ("type", "area", "kind", "permission", "description")

Area = Annotated[str | None, typer.Option("--area", help="Only those of an area, as in webhooks.")]
Name = Annotated[str, typer.Argument(metavar="TYPE", help="The $type.")]
Offline = Annotated[bool, typer.Option("--offline", help="From what is installed here, also when a server is known.")]


@app.callback(invoke_without_command=True)
def list_types(
    context: typer.Context,
    area: Area = None,
    offline: Offline = False,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """List every command and query with its permission and what it does.

    The server is asked where it is told who asks (BPM_TOKEN, or BPM_USERNAME and BPM_PASSWORD); without, what is
    listed is installed here.
    """
    if context.invoked_subcommand is not None:
        return
    server = _server(url, token, username, password, offline=offline)
    if server is None:
        summaries = _installed(area)
    else:
        found = server.send("GetCommandCatalogQuery", {} if area is None else {"area": area})
        summaries = [{name: item[name] for name in SUMMARY} for item in found["items"]]
    if output.is_text:
        rows = ([s["type"], s["kind"], s["permission"] or "anybody", _first_line(s["description"])] for s in summaries)
        print_table(("$type", "kind", "permission", "description"), rows)
        return
    for summary in summaries:
        print_json(summary)


@app.command()
def show(
    name: Name,
    offline: Offline = False,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Show one command or query: its fields, its result and an example."""
    server = _server(url, token, username, password, offline=offline)
    if server is None:
        entry = _installed_entry(name)
    else:
        (entry,) = server.send("GetCommandCatalogQuery", {"name": name})["items"]
    if output.is_text:
        _print_entry(entry)
    else:
        print_json(entry)


def _server(
    url: str | None, token: str | None, username: str | None, password: str | None, *, offline: bool
) -> ServerConnection | None:
    """Return the server to ask, or None where nothing says who asks."""
    is_somebody = token is not None or (username is not None and password is not None)
    return ServerConnection(url, token, username, password) if is_somebody and not offline else None


def _installed(area: str | None) -> list[dict[str, Any]]:
    from bpm.cli.registry import offline_registry

    summaries = [_summary(registration) for registration in offline_registry()]
    found = [summary for summary in summaries if area in (None, summary["area"])]
    if not found:
        areas = sorted({summary["area"] for summary in summaries})
        fail(ExitStatus.ERROR, f"there is no area {area!r}; there are {', '.join(areas)}")
    return found


def _summary(registration: "Registration") -> dict[str, Any]:
    from bpm.bus.catalogue import area_of, description_of

    permission = registration.message_type.permission
    described = description_of(registration)
    return dict(
        zip(SUMMARY, (registration.name, area_of(registration), registration.kind, permission, described), strict=True)
    )


def _installed_entry(name: str) -> dict[str, Any]:
    """Return what the server's catalogue would say of a message, from what is installed here."""
    from bpm.bus.catalogue import catalogue_of
    from bpm.cli.registry import offline_registry
    from bpm.errors import NotFound

    registry = offline_registry()
    try:
        registration = registry.find(name)
    except NotFound as error:
        fail(ExitStatus.ERROR, *error.errors)
    catalogue = catalogue_of(registry)
    entry = next(entry for entry in catalogue.entries if entry.name == registration.name)
    schemas = {"request": catalogue.standing_alone(entry.request), "result": catalogue.standing_alone(entry.result)}
    return _summary(registration) | {"aliases": list(entry.aliases)} | schemas


def _print_entry(entry: Mapping[str, Any]) -> None:
    from bpm.web.examples import example

    request, result = entry["request"], entry["result"]
    asked = entry["permission"] or "anybody signed in"
    say(f"{entry['type']} ({entry['kind']}, {asked})\n\n{entry['description']}\n")
    if entry["aliases"]:
        say(f"Also known as {', '.join(entry['aliases'])}\n")
    _print_fields("Fields", request)
    for name, definition in request.get("$defs", {}).items():
        _print_fields(name, definition)
    _print_fields("Result", result.get("$defs", {}).get(result.get("$ref", "").rpartition("/")[2], result))
    say("Example")
    print_value(example(request, request.get("$defs", {})))


def _print_fields(title: str, schema: Mapping[str, Any]) -> None:
    from bpm.cli.schema import rule_of, type_of

    needed = schema.get("required", ())
    rows: Iterable[tuple[str, str, str, str]] = [
        (name, type_of(field), "yes" if name in needed else "", rule_of(field))
        for name, field in schema.get("properties", {}).items()
        if name != "$type"
    ]
    if rows:
        print_table((title, "type", "required", "rule"), rows)
        say()
    elif "enum" in schema:
        say(f"{title}: {type_of(schema)}\n")


def _first_line(description: str) -> str:
    return description.partition("\n")[0]
