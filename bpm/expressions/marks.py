"""How a text says of itself that it is an expression: by how it begins."""

from enum import Enum

MARKS = ("=", "${", "#{")


class ExpressionDialect(Enum):
    """What an expression is written in: the router's language unless a mark says FEEL or JUEL."""

    OWN = ""
    FEEL = "="
    JUEL = "${"


def is_marked(text: str) -> bool:
    """Whether a text is marked as an expression, blanks before it apart."""
    return text.lstrip().startswith(MARKS)


def marked(source: str) -> str:
    """An expression marked as one, however it is written."""
    return source if is_marked(source) else f"={source}"
