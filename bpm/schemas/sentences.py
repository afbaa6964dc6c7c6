"""Names and numbers in the sentences of a schema."""

from bpm.shown import MAX_SHOWN

MAX_NAMES = 10


def names(found: list[str]) -> str:
    """Return names between quotes, the rest counted when there are many."""
    listed = ", ".join(f"'{name[:MAX_SHOWN]}'" for name in found[:MAX_NAMES])
    return listed if len(found) <= MAX_NAMES else f"{listed} and {len(found) - MAX_NAMES} more"


def were_unexpected(found: list[str]) -> str:
    """Return `'a' was unexpected`, or `'a', 'b' were unexpected`."""
    return f"({names(found)} {'was' if len(found) == 1 else 'were'} unexpected)"


def counted(number: int, noun: str) -> str:
    """Return `1 item`, `2 items`, `1 property`, `2 properties`."""
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
