"""Between an interface's names and the bus's: snake_case outside, camelCase inside."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import AliasGenerator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel, to_snake

from bpm.errors import BpmError, Invalid

MAX_SENTENCES = 100
"""Of how many fields that the interface does not have it is said so."""
UNNAMED = "webhook"
"""What a problem is filed under that concerns no single field."""

_SENTENCE = re.compile(r"([A-Za-z_]\w*)((?:\[\d+\])*(?:\.[^:\s]+)?): (.+)", re.DOTALL)
_INDEX = re.compile(r"\[(\d+)\]")


class Shown(BaseModel):
    """A part of an answer, made of a part of the bus's answer."""

    model_config = ConfigDict(alias_generator=AliasGenerator(validation_alias=to_camel), validate_by_name=True)


class Asked(BaseModel):
    """What a request may hold; it names and describes the fields, which the bus judges."""

    model_config = ConfigDict(extra="forbid")


def translated(body: Mapping[str, Any], asked: type[Asked]) -> dict[str, Any]:
    """Return a body's fields as the bus calls them, without those the interface does not have; null is left out."""
    return {to_camel(name): value for name, value in body.items() if name in asked.model_fields and value is not None}


def require_known(body: Mapping[str, Any], asked: type[Asked]) -> None:
    """Raise `Invalid` for fields the interface does not have."""
    unknown = [name for name in body if name not in asked.model_fields]
    if unknown:
        more = len(unknown) - MAX_SENTENCES
        said = [f"{name}: is not a known field" for name in unknown[:MAX_SENTENCES]]
        raise Invalid(*said, *([f"and {more} further fields are not known"] if more > 0 else []))


def require_all(*checks: Callable[[], object]) -> None:
    """Make every check; raises `Invalid` with the problems of all that failed."""
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except Invalid as error:
            problems.extend(error.errors)
    if problems:
        raise Invalid(*problems)


def field_errors(error: BpmError) -> dict[str, list[str]]:
    """Return an error's sentences by field, as in `{"events.0": ["…"]}`."""
    by_field: dict[str, list[str]] = {}
    for sentence in error.errors:
        name, said = field_and_words(sentence)
        by_field.setdefault(name or UNNAMED, []).append(said)
    return by_field


def field_and_words(sentence: str) -> tuple[str | None, str]:
    """Take a sentence apart into the field it is about, if any, and what it says."""
    found = _SENTENCE.fullmatch(sentence)
    if found is None:
        return None, sentence
    name, rest, words = found.groups()
    return to_snake(name) + _INDEX.sub(r".\1", rest), words
