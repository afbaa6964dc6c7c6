"""Reads the DMN technology compatibility kit: its cases, and whether a result is the one that it expects.

The kit is no part of the repository; `DMN_KIT` names the folder `TestCases` of a copy of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import lxml.etree as untyped

from bpm.bpmn import InvalidDefinition
from bpm.dmn import Decision, DecisionFailed, decide, load_decisions
from bpm.expressions.temporal import to_date, to_datetime, to_duration, to_time
from bpm.number import Number

etree: Any = untyped  # lxml ships no types
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
READERS = {"date": to_date, "dateTime": to_datetime, "time": to_time, "duration": to_duration}
TOLERANCE = Decimal("1e-8")
"""Expected numbers are written with eight digits and more."""


@dataclass(frozen=True)
class Case:
    """One expected result of one decision, service or function of a model."""

    name: str
    model: Path
    element: str
    inputs: dict[str, Any]
    expected: Any
    may_fail: bool


def local(element: Any) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def inner(element: Any, *names: str) -> list[Any]:
    """The children of these names."""
    return [child for child in element if local(child) in names]


def cases(kit: Path) -> Iterator[Case]:
    """Every case of the levels that the standard requires."""
    for file in sorted(kit.glob("compliance-level-*/*/*-test-*.xml")):
        root = etree.parse(file).getroot()
        model = file.parent / inner(root, "modelName")[0].text.strip()
        elements = list(etree.parse(model).getroot())
        for case in inner(root, "testCase"):
            for result in inner(case, "resultNode"):
                yield Case(
                    f"{file.parent.name} {case.get('id')} {result.get('name')}",
                    model,
                    _element(elements, case, result),
                    _inputs(elements, case),
                    _value(inner(result, "expected")[0], is_typed=True),
                    result.get("errorResult") == "true",
                )


def _element(elements: list[Any], case: Any, result: Any) -> str:
    kinds = {"bkm": "businessKnowledgeModel", "decisionService": "decisionService"}
    kind = kinds.get(case.get("type"), "decision")
    name = case.get("invocableName") if kind != "decision" else result.get("name")
    return next((each.get("id") or "" for each in elements if local(each) == kind and each.get("name") == name), "")


def _inputs(elements: list[Any], case: Any) -> dict[str, Any]:
    """Data as JSON, but where a model declares no type: there the kit means dates, which JSON does not have."""
    untyped_data = {
        each.get("name")
        for each in elements
        if local(each) == "inputData"
        for variable in inner(each, "variable")
        if variable.get("typeRef") in (None, "Any")
    }
    return {each.get("name"): _value(each, each.get("name") in untyped_data) for each in inner(case, "inputNode")}


def _value(element: Any, is_typed: bool) -> Any:
    for child in element:
        if any(name.endswith("}nil") and value == "true" for name, value in child.attrib.items()):
            return None
        match local(child):
            case "value":
                kind = next((value for name, value in child.attrib.items() if name.endswith("}type")), "string")
                return _scalar(kind.rpartition(":")[2], child.text or "", is_typed)
            case "list":
                return [_value(item, is_typed) for item in inner(child, "item")]
            case "component":
                return {each.get("name"): _value(each, is_typed) for each in inner(element, "component")}
            case _:
                continue
    return None


def _scalar(kind: str, text: str, is_typed: bool) -> Any:
    if kind in ("decimal", "double", "integer") and text.strip() not in ("NaN", "INF", "-INF"):
        return int(text) if re.fullmatch(r"\s*-?\d+\s*", text) else Number(text.strip())
    if kind == "boolean":
        return text.strip() == "true"
    return READERS[kind](text.strip()) if is_typed and kind in READERS else text


def judge(case: Case, models: dict[Any, Any]) -> str:
    """`right`, `wrong`, or `refused` by a sentence; a case that expects an error is right when one is told."""
    result: Any
    try:
        result = decide(_decision(case, models), case.inputs, NOW)
    except InvalidDefinition:
        return "refused"
    except DecisionFailed:
        return "right" if case.may_fail else "refused"
    if isinstance(result, dict) and not isinstance(case.expected, dict):
        values = cast("dict[str, Any]", result)
        result = values.get(case.name.split(" ", 2)[2], values)
    return "right" if is_equal(result, case.expected) else "wrong"


def _decision(case: Case, models: dict[Any, Any]) -> Decision:
    """The decision of a model; where the model is refused, of what it requires alone."""
    if case.model not in models:
        source = case.model.read_bytes()
        try:
            models[case.model] = load_decisions(source)
        except InvalidDefinition:
            models[case.model] = {}
    found = models[case.model].get(case.element)
    return found or load_decisions(_alone(case.model.read_bytes(), case.element))[case.element]


def _alone(source: bytes, element: str) -> bytes:
    root = etree.fromstring(source)
    elements = {each.get("id"): each for each in root if local(each)}
    needed, waiting = set[str](), [element]
    while waiting:
        name = waiting.pop()
        if name in elements and name not in needed:
            needed.add(name)
            waiting += [each.get("href").rpartition("#")[2] for each in elements[name].iter() if each.get("href")]
    for each in list(root):
        logic = ("decision", "businessKnowledgeModel", "decisionService")
        if local(each) in logic and each.get("id") not in needed:
            root.remove(each)
    return etree.tostring(root)


def is_equal(result: Any, expected: Any) -> bool:
    """Whether a result, which is JSON, is what the kit expects."""
    if type(expected).__module__.startswith("bpm.expressions.temporal"):
        reader = {"CivilDate": to_date, "DateTime": to_datetime, "Time": to_time}.get(
            type(expected).__name__, to_duration
        )
        return isinstance(result, str) and reader(result) == expected
    if type(result) is not type(expected) and isinstance(expected, list | dict):
        return False
    if isinstance(expected, list):
        return len(result) == len(cast("list[Any]", expected)) and all(
            map(is_equal, result, cast("list[Any]", expected))
        )
    if isinstance(expected, dict):
        values = cast("dict[str, Any]", expected)
        return result.keys() == values.keys() and all(is_equal(result[name], values[name]) for name in values)
    if isinstance(expected, int | Decimal) and not isinstance(expected, bool):
        return _is_number(result) and abs(Decimal(result) - Decimal(expected)) <= TOLERANCE * abs(Decimal(expected))
    return type(result) is type(expected) and result == expected


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
