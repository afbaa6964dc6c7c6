"""JSON Schemas and data made to take for ever: refused by their steps, or answered within a few."""

from typing import Any

import pytest
from pydantic_core import to_json

from bpm.metering import MAX_MESSAGE_STEPS, Meter, OverBudget, budget
from bpm.schemas import MAX_CHECK_STEPS, SchemaError, check_schema, problems
from bpm.schemas.builder import Builder
from bpm.schemas.check import SchemaCheck

LEVELS = 30
TREE = {
    "$defs": {
        "node": {
            "oneOf": [
                {"properties": {"kind": {"const": kind}, "child": {"$ref": "#/$defs/node"}}, "required": ["kind"]}
                for kind in ("group", "item", "link")
            ]
        }
    },
    "$ref": "#/$defs/node",
}


def _pairs(keyword: str) -> dict[str, Any]:
    """A schema of thirty levels, each of which names the next one twice."""
    levels: dict[str, Any] = {
        f"a{level}": {keyword: [{"$ref": f"#/$defs/a{level + 1}"}] * 2} for level in range(LEVELS)
    }
    return {"$ref": "#/$defs/a0", "$defs": {**levels, f"a{LEVELS}": False}}


def _nested(depth: int, innermost: Any, name: str = "child", **fields: Any) -> Any:
    for _ in range(depth):
        innermost = {**fields, name: innermost}
    return innermost


def _steps(schema: Any, data: Any) -> int:
    """How many steps a whole check takes, sentences included."""
    meter = Meter(MAX_CHECK_STEPS)
    list(SchemaCheck(meter).problems(Builder(schema, Meter()).build(), data))
    return MAX_CHECK_STEPS - meter.left


def test_the_cost_grows_with_the_datas_depth_not_exponentially() -> None:
    """Twice as deep data of an honest recursive schema takes about twice the steps."""
    shallow, deep = (_steps(TREE, _nested(depth, {"kind": "nope"}, kind="group")) for depth in (14, 28))
    assert deep < 3 * shallow < 3_000


@pytest.mark.parametrize("keyword", ["anyOf", "allOf", "oneOf"])
def test_levels_that_double_are_asked_once(keyword: str) -> None:
    """2^30 ways to the same question are one question."""
    assert _steps(_pairs(keyword), {}) < 1_000
    assert _steps(_pairs(keyword), 5) < 1_000


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}], "type": "object"},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "type": "object"},
        {"$dynamicAnchor": "n", "allOf": [{"$dynamicRef": "#n"}]},
        {"not": {"$ref": "#"}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    ],
    ids=str,
)
def test_a_schema_that_is_its_own_part_ends(schema: dict[str, Any]) -> None:
    """A circle of references is followed once."""
    check_schema(schema)
    values: list[Any] = [{}, 1, [1]]
    for data in values:
        assert _steps(schema, data) < 100


def test_a_long_chain_of_references_is_one_step() -> None:
    """References to references are shortened when the schema is compiled."""
    chain: dict[str, Any] = {f"a{level}": {"$ref": f"#/$defs/a{level + 1}"} for level in range(1_500)}
    schema = {"$ref": "#/$defs/a0", "$defs": {**chain, "a1500": {"type": "string"}}}
    assert _steps(schema, 5) < 10


def test_data_nested_deeper_than_the_checks_can_follow_is_refused() -> None:
    """Neither the interpreter's stack nor the process ends."""
    text = to_json({"properties": {"a": {"$ref": "#"}}}).decode()
    with pytest.raises(OverBudget, match="nested deeper than"):
        problems(text, _nested(900, {}, "a"))


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"uniqueItems": True}, [{"x": number} for number in range(200_000)]),
        ({"items": {"const": "a" * 5_000}}, ["a" * 5_000] * 20_000),
        ({"contains": {"enum": [{"a": 1}]}}, [{"a": 2}] * 200_000),
        ({"patternProperties": {f"^{number}": True for number in range(2_000)}}, {str(n): 1 for n in range(9_000)}),
        ({"pattern": "(.{0,50}){20}z"}, "aé" * 50_000),
        ({"items": {"pattern": r"\w{1,64}"}}, ["a" * 2_000] * 2_000),
        ({"propertyNames": {"allOf": [{"minLength": 1}] * 500}}, {str(number): 1 for number in range(9_000)}),
        ({"items": {"allOf": [{"multipleOf": 0.1}] * 900}}, [10**4_000] * 900),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_check_that_takes_too_many_steps_is_refused(schema: dict[str, Any], data: Any) -> None:
    """The sentence names the limit, and the error says that another try is in vain."""
    with pytest.raises(OverBudget, match=f"take more than {MAX_CHECK_STEPS} steps") as refusal:
        problems(to_json(schema).decode(), data)
    assert refusal.value.is_final


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"properties": {"a": {"pattern": r"\w{1,120}" + str(number)}}} for number in range(900)]},
        {"allOf": [{"pattern": "(.{0,50}){20}" + str(number)} for number in range(900)]},
        {
            "$ref": "http://x/0",
            "$defs": {
                f"a{number}": {
                    "$id": f"http://x/{number}",
                    "$dynamicAnchor": "n",
                    "properties": {
                        "a": {"$ref": f"http://x/{(number * 7 + 1) % 300}"},
                        "b": {"$ref": f"http://x/{(number * 3 + 2) % 300}"},
                        "c": {"$dynamicRef": "#n"},
                    },
                }
                for number in range(300)
            },
        },
    ],
    ids=["many patterns", "huge patterns", "dynamic scopes"],
)
def test_a_schema_that_takes_too_long_to_compile_is_refused(schema: dict[str, Any]) -> None:
    """It is refused when it is registered."""
    with pytest.raises(SchemaError, match="steps to compile"):
        check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"pattern": "(?=a)"}, "linear time"),
        ({"pattern": r"(a)\1"}, "linear time"),
        ({"$schema": "http://127.0.0.1:1/x"}, "must be one of"),
        ({"$ref": "http://127.0.0.1:1/x"}, "leads nowhere"),
        ({"$ref": "file:///etc/passwd"}, "leads nowhere"),
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
    ],
)
def test_what_cannot_be_bounded_or_found_is_refused_by_name(schema: dict[str, Any], words: str) -> None:
    """No pattern that backtracks, and nothing is fetched."""
    with pytest.raises(SchemaError, match=words):
        check_schema(schema)


def test_sentences_show_the_beginning_of_a_long_value() -> None:
    """An answer never repeats what was sent in full."""
    found = problems('{"type": "string"}', [{"field": "x" * 10_000}] * 100)
    assert len(found) == 1
    assert len(found[0]) < 300


def test_all_checks_of_one_message_share_a_budget() -> None:
    """Many checks, each within its own limit, end at the message's."""
    text, data = '{"uniqueItems": true}', list(range(50_000))
    with budget(MAX_MESSAGE_STEPS):
        for _ in range(MAX_MESSAGE_STEPS // 50_000 - 1):
            problems(text, data)
        with pytest.raises(OverBudget, match="of one request or message"):
            problems(text, data)
