"""Places in a source: Python counts columns in bytes, people and editors in characters."""

import re

_LINE_END = re.compile(r"\r\n|\r|\n")


def lines_of(source: str) -> list[str]:
    """Return the lines of a source as Python counts them."""
    return _LINE_END.split(source)


def column_at(lines: list[str], line: int, offset: int) -> int:
    """Return the column, from 1 and in characters, of an offset in bytes into a line."""
    text = lines[line - 1] if 1 <= line <= len(lines) else ""
    return len(text.encode("utf-8", "surrogatepass")[:offset].decode(errors="ignore")) + 1
