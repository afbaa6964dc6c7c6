"""`bpm types`: what can be sent, from the registry, without a server."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_table, print_value

if TYPE_CHECKING:
    from bpm.bus.catalogue import Catalogue, Entry

app = typer.Typer(help="List every command and query.", rich_markup_mode=None)

Area = Annotated[str | None, typer.Option("--area", help="Only those of an area, as in webhook_configs.")]
Name = Annotated[str, typer.Argument(metavar="TYPE", help="The $type.")]


@app.callback(invoke_without_command=True)
def list_types(context: typer.Context, area: Area = None, output: FormatOption = OutputFormat.AUTO) -> None:
    """List every command and query with its permission and what it does."""
    if context.invoked_subcommand is not None:
        return
    from bpm.bus.catalogue import catalogue_of
    from bpm.cli.registry import offline_registry

    entries = [entry for entry in catalogue_of(offline_registry()).entries if area in (None, entry.area)]
    if not entries:
        fail(ExitStatus.ERROR, f"there is no area {area!r}")
    if output.is_text:
        rows = ([e.name, e.kind, e.permission or "anybody", _first_line(e.description)] for e in entries)
        print_table(("$type", "kind", "permission", "description"), rows)
        return
    for entry in entries:
        print_json(_summary(entry))


@app.command()
def show(name: Name, output: FormatOption = OutputFormat.AUTO) -> None:
    """Show one command or query: its fields, its result and an example."""
    from bpm.bus.catalogue import catalogue_of
    from bpm.cli.registry import offline_registry
    from bpm.errors import NotFound

    registry = offline_registry()
    try:
        found = registry.find(name).name
    except NotFound as error:
        fail(ExitStatus.ERROR, *error.errors)
    catalogue = catalogue_of(registry)
    entry = next(entry for entry in catalogue.entries if entry.name == found)
    if output.is_text:
        _print_entry(entry, catalogue)
    else:
        schemas = {"request": catalogue.standing_alone(entry.request), "result": catalogue.standing_alone(entry.result)}
        print_json(_summary(entry) | {"aliases": entry.aliases} | schemas)


def _print_entry(entry: "Entry", catalogue: "Catalogue") -> None:
    from bpm.web.examples import example

    typer.echo(f"{entry.name} ({entry.kind}, {entry.permission or 'anybody signed in'})\n\n{entry.description}\n")
    if entry.aliases:
        typer.echo(f"Also known as {', '.join(entry.aliases)}\n")
    _print_fields("Fields", entry.request)
    for name, definition in catalogue.standing_alone(entry.request).get("$defs", {}).items():
        _print_fields(name, definition)
    result = catalogue.definitions.get(entry.result.get("$ref", "").rpartition("/")[2], entry.result)
    _print_fields("Result", result)
    typer.echo("Example")
    print_value(example(entry.request, catalogue.definitions))


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
        typer.echo()
    elif "enum" in schema:
        typer.echo(f"{title}: {type_of(schema)}\n")


def _summary(entry: "Entry") -> dict[str, Any]:
    return {
        "type": entry.name,
        "area": entry.area,
        "kind": entry.kind,
        "permission": entry.permission,
        "description": entry.description,
    }


def _first_line(description: str) -> str:
    return description.partition("\n")[0]
