"""Regular expressions and texts that strangers or tenants write: no text takes longer than its length.

The interpreter is held while one is matched, so one that does not end stops everybody. The texts are as long as it
takes to tell, and no longer: with the fault each took seconds.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

import bpm
import commands
import router
import scripts
from bpm.bpmn.compilation.values import compile_condition
from bpm.bpmn.compilation.variable_functions import without_variable_functions
from bpm.bpmn.reader.resources import _names  # pyright: ignore[reportPrivateUsage]
from bpm.dmn.unary import compile_tests
from bpm.edge.request import is_json
from bpm.expressions import EvaluationError, ExpressionError, compile_expression
from bpm.multipart import MultipartError, parts_of
from bpm.security.redaction import redacted_text, redacted_xml
from bpm.web.dialects.wire import field_and_words
from router.providers.remita.confirmation import _WRAPPED  # pyright: ignore[reportPrivateUsage]
from tests.attacks.ambiguity import is_explosive
from tests.effort import effort_below

PACKAGES = (bpm, commands, router, scripts)
RUN_AT_IMPORT = ("__main__", "versions", "template", "wall")


def modules() -> Iterator[Any]:
    """Every module of the product that does nothing when it is imported."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not set(found.name.split(".")).intersection(RUN_AT_IMPORT):
                yield importlib.import_module(found.name)


def patterns_of(module: Any) -> Iterator[re.Pattern[Any]]:
    """The expressions that a module has made once."""
    for name in dir(module):
        if not name.startswith("__"):
            yield from patterns_within(getattr(module, name))


def patterns_within(value: Any) -> Iterator[re.Pattern[Any]]:
    """The expressions in a value of a module."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict | list | tuple | set | frozenset):
        for each in cast("Iterable[Any]", value.values() if isinstance(value, dict) else value):
            yield from patterns_within(each)


def written_in_functions(module: Any) -> Iterator[re.Pattern[Any]]:
    """The expressions that stand in the code of functions."""
    for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re")), args=[ast.Constant(value=str() | bytes()), *_]):
                yield re.compile(node.args[0].value)  # type: ignore[attr-defined]
            case _:
                pass


def test_no_expression_is_ambiguous_without_bound() -> None:
    """Of none is there a text with exponentially many ways to match, whoever writes the text."""
    found = {
        (pattern.pattern, pattern.flags): module.__name__
        for module in modules()
        for pattern in (*patterns_of(module), *written_in_functions(module))
    }
    assert len(found) > 150
    assert [(place, *known) for known, place in found.items() if is_explosive(*known)] == []


@pytest.mark.parametrize(
    ("pattern", "is_so"),
    [
        (r"(a+)+b", True),
        (r"(a*)*b", True),
        (r"(a|ab|b)*c", True),
        (r"(?:;\s*\w+=[^;]*\s*)*", True),
        (r"(?=(\w+-?)+x)a", True),
        (r"(?>(?:a|aa)*)b", True),
        (r"(?:\w+-?)*+x", False),
        (r"\d+(?:\.\d+)*", False),
        (r"(?:a|b)*c", False),
    ],
)
def test_what_is_ambiguous_is_found(pattern: str, is_so: bool) -> None:
    """The examiner itself, by expressions that are known to be so or not."""
    assert is_explosive(pattern) is is_so


def compile_nothing(_source: str) -> Callable[..., None]:
    """Stand for the compiler of a cell's tests."""
    return lambda *_: None


def in_feel(text: str) -> Callable[[], object]:
    """Read a range that a request brought along."""
    return lambda: compile_expression("range(payload)", "null").evaluate({"payload": text})


TEXTS: dict[str, Callable[[], object]] = {
    "a content type of a stranger's": lambda: is_json("application/json" + ";a= " * 20 + ";;"),
    "a field that an interface does not have": lambda: field_and_words("x" + ".a" * 23 + ":b: is not a known field"),
    "a function of variables in a model": lambda: without_variable_functions("vars:get(x," + " " * 1_000),
    "openings without an end in a model": lambda: compile_condition("${" * 10_000),
    "people without an end in a model": lambda: list(_names("user(," * 10_000)),
    "a text without an end in a decision": lambda: compile_tests('"' + '\\"' * 20_000, compile_nothing),
    "the middle of a range": in_feel("[" + " .. " * 1_000),
    "the end of a range": in_feel("[1.." + "1" * 30_000 + "x]"),
    "what looks like tokens": lambda: redacted_text("eyJ-" * 50_000),
    "lists of secrets": lambda: redacted_text('"password":[]' * 20_000),
    "what looks like elements with a name": lambda: redacted_xml('name="a">' * 30_000),
    "options of a form's part": lambda: parts_of(
        "multipart/form-data; boundary=b",
        (b'--b\r\ncontent-disposition: form-data; name*=a; x="' + b";" * 4_000 + b"\r\n\r\nx\r\n") * 30 + b"--b--\r\n",
    ),
    "a provider's answer": lambda: _WRAPPED.fullmatch(b"jsonp()" + b" " * 10_000 + b"x"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_takes_no_longer_than_its_length(name: str) -> None:
    """A moment each."""
    with effort_below(0.5), suppress(ExpressionError, EvaluationError, MultipartError):
        TEXTS[name]()
