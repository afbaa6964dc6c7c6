"""Looking for words, whatever their capitals, in texts and in bytes that may be text."""

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


def pattern(words: str) -> str:
    """Return the pattern of `LIKE` for texts that contain `words`; its escape is a backslash."""
    return "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


class before(FunctionElement[str]):  # noqa: N801 stands in statements as a function does
    """The part of a text column before the first of a mark, or the whole text: `before(column, "?")`."""

    type = Text()
    inherit_cache = True

    def __init__(self, column: ColumnElement[str], mark: str) -> None:
        """Take the column, and where its part ends."""
        super().__init__(column, literal(mark, Text()))


@compiles(before)
def _before(element: before, compiler: Any, **options: Any) -> str:
    text, mark = (compiler.process(part, **options) for part in element.clauses)
    return f"split_part({text}, {mark}, 1)"


@compiles(before, "sqlite")
def _before_in_sqlite(element: before, compiler: Any, **options: Any) -> str:
    text, mark = element.clauses
    part = func.substr(text, 1, func.instr(text.concat(mark), mark) - 1)
    return compiler.process(part, **options)


def bytes_contain(dialect: str, column: Any, words: str) -> ColumnElement[bool]:
    """Return the condition that bytes, read as UTF-8, contain `words`; bytes that are no text are no error.

    Capitals of other than the English letters count. SQLite reads the bytes up to the first zero.
    """
    if dialect == "postgresql":
        return func.encode(column, "escape").ilike(pattern(_escaped(words)), escape="\\")
    return cast(column, Text).like(pattern(words), escape="\\")  # as SQLite compares, capitals do not count


def _escaped(words: str) -> str:
    r"""Return words as PostgreSQL writes bytes in the format `escape`: zero and what is not ASCII as `\nnn`."""
    return "".join(_escaped_byte(byte) for byte in words.encode("utf-8", "replace"))


def _escaped_byte(byte: int) -> str:
    if byte == 0 or byte > 0x7F:
        return f"\\{byte:03o}"
    return "\\\\" if byte == 0x5C else chr(byte)
