"""How often a command is tried again, as a file says it."""

import re
from typing import Any

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.values import Evaluator, is_constant
from bpm.bpmn.definition import Element
from bpm.expressions import EvaluationError

_NUMBER = re.compile(r"\d{1,4}", re.ASCII)


def compile_retries(element: Element, text: str, compilation: Compilation) -> Evaluator:
    """The number of retries, which may be an expression."""
    if text and is_constant(text) and not _NUMBER.fullmatch(text):
        compilation.problem(element, f"its number of retries '{text}' is not a whole number up to 9999")
        text = ""
    return compilation.value(element, "its number of retries", text)


def count_retries(value: Any) -> int | None:
    """The number that it came to, None where nothing is said."""
    if value in (None, ""):
        return None
    if not _NUMBER.fullmatch(str(value)):
        raise EvaluationError(f"its number of retries {value!r} is not a whole number up to 9999")
    return int(value)
