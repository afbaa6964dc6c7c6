"""Text that a terminal shows and does not obey: what others sent can't move its cursor, rename it or hide a line."""

import re

_COMMANDING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for the tab and the end of a line, marks that turn the direction of writing, and halves."""


def harmless(text: str) -> str:
    """Return a text with what a terminal would obey written as JSON writes it, so that JSON stays the same value."""
    return _COMMANDING.sub(_written, text.replace("\r\n", "\n"))


def in_one_line(text: str) -> str:
    """Return a text as `harmless` does, and in one line."""
    return harmless(text).replace("\n", r"\n").replace("\t", r"\t")


def _written(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
