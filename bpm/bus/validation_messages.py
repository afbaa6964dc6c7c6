"""Validation errors as sentences: the field's path as the caller wrote it, then what to do."""

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from bpm.bus.field_names import field_names
from bpm.spelling import nearest

MAX_SENTENCES = 100
"""A body of a million unknown fields shall not be answered with a million sentences."""

_SAID = {
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer, without a fraction",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "model_type": "must be an object",
    "none_required": "must be null or left out",
}

_SHOULD = re.compile(r"^[\w ]+? should ")
"""How pydantic begins a sentence about a bound: `Input should be …`, `String should have …`."""


def sentences(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one sentence for each problem (of very many the first), prefixed by the field's path, if any."""
    problems = error.errors(include_url=False, include_input=False)
    found = [_sentence(dict(problem), model) for problem in problems[:MAX_SENTENCES]]
    if len(problems) > MAX_SENTENCES:
        found.append(f"and {len(problems) - MAX_SENTENCES} further problems")
    return list(dict.fromkeys(found))


def _sentence(problem: dict[str, Any], model: type[BaseModel]) -> str:
    location: tuple[str | int, ...] = problem["loc"]
    path = _path(location)
    words = _words_of(problem, model, location)
    return f"{path}: {words}" if path else words


def _path(location: tuple[str | int, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _words_of(problem: dict[str, Any], model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    kind = problem["type"]
    if kind == "missing":
        return f"{_title(str(location[-1]))} is required"
    if kind == "extra_forbidden":
        return _unknown_field(str(location[-1]), model, location)
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind in _SAID:
        return _SAID[kind]
    message = _SHOULD.sub("must ", problem["msg"]).replace(" after validation,", ",")
    return message[0].lower() + message[1:]


def _unknown_field(name: str, model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    known = field_names(model) if len(location) == 1 else []
    close = nearest(name, known)
    return f"is not a known field; did you mean {close[0]}?" if close else "is not a known field"


def _title(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).split(" ")
    return " ".join([words[0][:1].upper() + words[0][1:], *(w if w.isupper() else w.lower() for w in words[1:])])
