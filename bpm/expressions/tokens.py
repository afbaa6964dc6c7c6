"""Source text -> tokens, the same for the router's dialect, FEEL and JUEL."""

import re
import sys
from dataclasses import dataclass
from typing import Any, Literal

from bpm.number import Number, NumberError, number_of

from .errors import ExpressionError

Kind = Literal["number", "string", "name", "operator", "end"]

PATTERN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<quoted>`[^`]+`)
    | (?P<name>[^\W\d\U00010000-\U0010FFFF]\w*|[\U00010000-\U000EFFFF][\w\U00010000-\U000EFFFF]*)
    | (?P<operator>\.\.|\*\*|\?\?|==|!=|<>|<=|>=|&&|\|\||[-+*/%<>=!?:.,@()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
MAX_SHOWN = 40
HEADER_NAME = re.compile(r"[^\W\d]\w*(?:-\w+)*")
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\\": "\\", '"': '"', "'": "'", "/": "/"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression: what it is, what it means, and its column, from 1."""

    kind: Kind
    value: Any
    column: int

    def __str__(self) -> str:
        """How an error message names the token."""
        return "the end" if self.kind == "end" else repr(self.value)


def tokenize(source: str, start: int = 0) -> list[Token]:
    """Split `source` from the offset `start` into tokens, the last of kind `end`.

    Raises ExpressionError for an unknown character, an unclosed text or an impossible number.
    """
    tokens: list[Token] = []
    at = start
    while at < len(source):
        pattern = HEADER_NAME if _after_headers(tokens) else PATTERN
        match = pattern.match(source, at) or PATTERN.match(source, at)
        if match is None:
            raise ExpressionError(_complaint(source[at]), at + 1)
        kind = match.lastgroup or "name"
        if kind != "space":
            tokens.append(_token(kind, match.group(), at + 1))
        at = match.end()
    tokens.append(Token("end", "", len(source) + 1))
    return tokens


def _after_headers(tokens: list[Token]) -> bool:
    """Whether a header's name follows, which may hold dashes: `headers.x-request-id`."""
    return len(tokens) > 1 and tokens[-1].value == "." and tokens[-2].value == "headers"


def _token(kind: str, text: str, column: int) -> Token:
    if kind == "number":
        return Token("number", _number(text, column), column)
    if kind == "string":
        return Token("string", _text(text[1:-1], column), column)
    if kind == "quoted":
        return Token("name", text[1:-1], column)
    return Token("name" if kind == "name" else "operator", text, column)


def _number(text: str, column: int) -> int | Number:
    if text.isdigit():
        return int(text)
    try:
        return number_of(text)
    except NumberError as error:
        raise ExpressionError(f"the number {text[:MAX_SHOWN]} is {error.reason}", column) from error


def _text(escaped: str, column: int) -> str:
    """The text that a literal means; two escapes may be the halves of one character."""
    text = ESCAPE.sub(_unescape, escaped)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("the text holds half a surrogate pair, which is no character", column) from None


def _unescape(match: re.Match[str]) -> str:
    """The character of an escape; one that means nothing stays as it is written, as in FEEL."""
    escaped = match.group(1)
    if len(escaped) > 1:
        return chr(min(int(escaped[1:], 16), sys.maxunicode))
    return ESCAPES.get(escaped, match.group())


def _complaint(character: str) -> str:
    if character in "\"'`":
        return f"the text that starts with {character} is not closed"
    return f"{character!r} has no meaning here"
