"""What a command prints: for people on a terminal, JSON lines in a pipe."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, cast

import typer

from bpm.cli.terminal import say
from bpm.terminal_text import harmless, in_one_line

CELL = 60
"""The longest text in a cell of a table."""


class OutputFormat(StrEnum):
    """`auto` is `text` on a terminal and `json` in a pipe."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"

    @property
    def is_text(self) -> bool:
        """Whether to write for people."""
        return self is OutputFormat.TEXT or (self is OutputFormat.AUTO and sys.stdout.isatty())


FormatOption = Annotated[
    OutputFormat, typer.Option("--format", help="text for people, json for programs; auto asks where the output goes.")
]


def print_json(value: Any) -> None:
    """Print a value as one line."""
    from bpm.exact_json import write_json

    say(write_json(value).decode())


def print_value(value: Any) -> None:
    """Print a value for people: a page of a list as a table, anything else as indented JSON."""
    if isinstance(value, dict) and "items" in value and "totalCount" in value:
        print_page(cast("dict[str, Any]", value))
    elif value is not None:
        from rich.console import Console
        from rich.highlighter import JSONHighlighter

        from bpm.exact_json import write_indented

        Console().print(JSONHighlighter()(harmless(write_indented(value))), soft_wrap=True)


def print_data(value: Any, output: OutputFormat) -> None:
    """Print a value for whoever reads it: for people as `print_value` does, else as one line."""
    if output.is_text:
        print_value(value)
    else:
        print_json(value)


def print_page(page: Mapping[str, Any], chosen: Sequence[str] = ()) -> None:
    """Print the items as a table, of the chosen columns if any, and say where in the list they stand.

    Where they are wider than the terminal all fields stand on lines of their own, of chosen columns the first does:
    an id is copied whole.
    """
    items: Sequence[Mapping[str, Any]] = page["items"]
    columns = chosen or list(dict.fromkeys(name for item in items for name, value in item.items() if value is not None))
    rows = [[_cell(item.get(name)) for name in columns] for item in items]
    is_wide = bool(items) and _width(columns, rows) > _terminal_width()
    if is_wide and not chosen:
        print_records(columns, rows)
    elif is_wide:
        print_stacked(columns, rows)
    elif items:
        print_table(columns, rows)
    number, pages = page.get("pageNumber", 1), page.get("totalPages", 1)
    left_out = page.get("leftOut", 0)
    total = f"{page['totalCount']}" if page.get("totalIsExact", True) else f"more than {page['totalCount']}"
    say(
        f"{len(items)} of {total}"
        + (f", page {number} of {pages}" if pages > 1 else "")
        + (f"; {left_out} more of this page with skip={len(items)}, for the rows are large" if left_out else "")
    )


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their columns' names."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")  # an id that is cut is of no use
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def print_stacked(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print each row in two lines: its first cell, and the others under their columns' names."""
    widths = [max(map(len, column)) for column in zip(columns[1:], *(row[1:] for row in rows), strict=True)]
    for first, *others in (columns, *rows):
        say(first)
        say("  " + "  ".join(cell.ljust(width) for cell, width in zip(others, widths, strict=True)).rstrip())


def print_records(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print each row as lines of a name and its value, without the empty ones, and a blank line after each."""
    widest = max(map(len, names))
    for row in rows:
        for name, text in zip(names, row, strict=True):
            if text:
                say(f"{name:{widest}}  {text}")
        say()


def _terminal_width() -> int:
    """Return how many columns a table has."""
    from rich.console import Console

    return Console().width


def _width(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    widest = (max(map(len, column)) for column in zip(names, *rows, strict=True))
    return sum(widest) + 2 * (len(names) - 1)


def _cell(value: Any) -> str:
    from bpm.exact_json import write_json

    if value is None:
        return ""
    text = in_one_line(value if isinstance(value, str) else write_json(value).decode())
    return text if len(text) <= CELL else text[: CELL - 1] + "…"
