"""The headers that a rule's own answers may have: prescribed ones, those of handshakes, and scripts' replies.

Names and values are held against one list, that of scripts (`scripts.shared.headers`), and what is the server's own
no rule may set. A value is a template; one that is null leaves its header out.
"""

from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import AfterValidator

from bpm.expressions import EvaluationError, ExpressionError, Template, compile_template
from scripts.shared.headers import problem_with

POLICY = "content-security-policy"
OURS = frozenset(
    {
        "connection", "content-length", POLICY, "date", "keep-alive", "proxy-authenticate", "proxy-connection",
        "server", "te", "trailer", "transfer-encoding", "upgrade", "x-content-type-options", "x-request-id",
    }
)  # fmt: skip
"""Headers that no rule may set: they say where an answer ends, who sent it, which one it is, and what it may do."""
CONTENT_TYPE = "content-type"

AnswerHeader = tuple[str, str]


def _checked(headers: dict[str, str]) -> dict[str, str]:
    """Return templates of headers that could be sent; raises `ValueError` that says what could not."""
    problem = problem_with(headers)
    if problem is not None:
        raise ValueError(problem)
    names = [name.lower() for name in headers]
    for name in names:
        if name in OURS:
            raise ValueError(f"may not set {name}: the server says it itself")
        if name == CONTENT_TYPE:
            raise ValueError(f"may not set {name}: contentType says what the body is")
        if names.count(name) > 1:
            raise ValueError(f"must name {name} once")
    try:
        compile_headers(headers)
    except ExpressionError as error:
        raise ValueError(str(error)) from error
    return headers


HeaderTemplates = Annotated[dict[str, str], AfterValidator(_checked)]


def compile_headers(headers: Mapping[str, str]) -> Template:
    """Return what renders the headers' values; raises `ExpressionError`."""
    return compile_template({name.lower(): value for name, value in headers.items()}, missing="null")


def to_headers(rendered: Mapping[str, Any]) -> tuple[AnswerHeader, ...]:
    """Return rendered headers as they are sent; raises `EvaluationError` for what no header can hold."""
    headers = {name: _to_text(name, value) for name, value in rendered.items() if value is not None}
    problem = problem_with(headers)
    if problem is not None:
        raise EvaluationError(f"headers: the answer {problem}")
    return tuple(headers.items())


def _to_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(cast("object", value), list) else "an object"
        raise EvaluationError(f"headers.{name}: is {kind}, and a header is one text")
    return str(value)
