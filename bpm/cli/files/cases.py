"""Tests of rules and decisions as data: a request and what must come of it, in the YAML files of `tests/`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from bpm.bus import WireModel
from bpm.bus.paging import When
from bpm.bus.validation_messages import sentences
from bpm.cli.files.folder import FolderError
from bpm.cli.files.places import TESTS, YAML, ends
from bpm.cli.files.yaml_text import YamlError, read_documents

START = datetime.fromisoformat("2026-01-01T12:00:00+00:00")
"""When a request comes, unless its test says another time."""


class CaseRequest(WireModel):
    """A request; a `body` that is not text is sent as JSON. It is signed as its rule asks, unless `signed` is false."""

    method: Annotated[str, Field(max_length=20)] = "POST"
    path: Annotated[str, Field(max_length=2000)]
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    query: Annotated[str, Field(max_length=8000)] = ""
    body: Any = None
    address: Annotated[str, Field(max_length=100)] = "127.0.0.1"
    at: When = START
    signed: bool = True


class CaseSent(WireModel):
    """A command that a script or chain must send; of its fields those that are named."""

    command: str
    fields: dict[str, Any] = Field(default_factory=dict[str, Any])


class CaseExpectation(WireModel):
    """What must come of a request: what is left out is not looked at.

    `verdict` is `passed` or the cause for which the request is refused. `command` is the message that it becomes, with
    the named ones of its `fields`; `process` the process that it starts. `sends` are the commands that a script or
    chain sends, in their order, and `result` what a script returns.
    """

    verdict: str = "passed"
    rule: str | None = None
    command: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict[str, Any])
    process: str | None = None
    sends: list[CaseSent] | None = None
    result: Any = None


class RuleCase(WireModel):
    """A request to the rules of the folder.

    `environment` holds the variables that references name (`env:`), `answers` what the commands answer that a script or
    chain sends, by their names.
    """

    name: str = ""
    environment: dict[str, str] = Field(default_factory=dict[str, str])
    request: CaseRequest
    answers: dict[str, Any] = Field(default_factory=dict[str, Any])
    expect: CaseExpectation


class DecisionCase(WireModel):
    """Values for a decision of the folder, and its result."""

    name: str = ""
    decision: str
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    result: Any


class PlacedCase(NamedTuple):
    """A test and where it stands."""

    place: str
    case: RuleCase | DecisionCase


RULE, DECISION = TypeAdapter(RuleCase), TypeAdapter(DecisionCase)


def read_cases(root: Path) -> list[PlacedCase]:
    """Return the tests of a folder; raises `FolderError` with everything that can't be read."""
    cases, problems = list[PlacedCase](), list[str]()
    for path in sorted((root / TESTS).rglob("*")):
        if not ends(path.name, YAML) or not path.is_file():
            continue
        name = path.relative_to(root).as_posix()
        try:
            documents = read_documents(path.read_text(encoding="utf-8-sig"))
        except (YamlError, OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}: {error}")
            continue
        for number, document in enumerate(documents, 1):
            place = f"{name} {number}" if len(documents) > 1 else name
            _add(document, place, cases, problems)
    if problems:
        raise FolderError(*problems)
    return cases


def _add(document: Any, place: str, cases: list[PlacedCase], problems: list[str]) -> None:
    is_decision = isinstance(document, dict) and "decision" in document
    try:
        case = (DECISION if is_decision else RULE).validate_python(document, by_alias=True, by_name=False)
    except ValidationError as error:
        problems += [f"{place}: {each}" for each in sentences(error, DecisionCase if is_decision else RuleCase)]
        return
    cases.append(PlacedCase(f"{place} ({case.name})" if case.name else place, case))
