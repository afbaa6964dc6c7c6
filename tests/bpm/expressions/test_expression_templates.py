"""Templates: JSON values whose texts hold expressions."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.expressions import EvaluationError, ExpressionError, compile_template

SCOPE = {"payload": {"x": 5, "name": "Ann", "list": [1, "a"], "none": None, "yes": True}, "headers": {"x-id": "7"}}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{payload.x}}", 5),
        ("{{ payload.list }}", [1, "a"]),
        ("{{payload.none}}", None),
        ("No. {{payload.x}}", "No. 5"),
        ("{{payload.x}}{{payload.name}}", "5Ann"),
        (" {{payload.x}}", " 5"),
        ("{{payload.list}} {{payload.none}}|{{payload.yes}}", '[1,"a"] |true'),
        ("{{payload.zip ?? 'none'}}", "none"),
        ("{{payload.zip ?? 0}}", 0),
        ("{{headers.x-id}}", "7"),
        ('{{ {a: "}}", b: {c: 1}} }}', {"a": "}}", "b": {"c": 1}}),
        ("{{ '{{' }} stays", "{{ stays"),
        ("{{date('2026-01-01')}} {{duration('PT1H')}}", "2026-01-01 PT1H"),
        ("plain }} text { }", "plain }} text { }"),
        (7, 7),
        (None, None),
        ({"a": ["{{payload.x}}", {"b": "{{payload.name}}!"}]}, {"a": [5, {"b": "Ann!"}]}),
    ],
)
def test_render(template: Any, value: Any) -> None:
    """A lone expression keeps its JSON type; inside text it is rendered."""
    assert compile_template(template).render(SCOPE) == value


@given(JSON_VALUES)
def test_value_without_expressions_stays(value: Any) -> None:
    """A JSON value without expressions renders to itself."""
    if "{{" not in json.dumps(value, ensure_ascii=False):
        assert compile_template(value).render({}) == value


@given(JSON_VALUES)
def test_lone_expression_gives_any_value(value: Any) -> None:
    """Whatever stands at a path comes out of a lone expression unchanged."""
    assert compile_template("{{payload.v}}").render({"payload": {"v": value}}) == value


def test_render_gives_a_new_value_each_time() -> None:
    """Changing a rendered value leaves the template as it was."""
    template = compile_template({"list": [1, {"deep": []}]})
    template.render({})["list"][1]["deep"].append("changed")
    assert template.render({}) == {"list": [1, {"deep": []}]}


def test_error_names_place_and_path() -> None:
    """A missing path is an error naming the place in the template, the path and the nearest keys."""
    template = compile_template({"customer": [{"name": "Dear {{payload.nme}}"}]})
    with pytest.raises(EvaluationError) as caught:
        template.render(SCOPE)
    assert str(caught.value).startswith("customer[0].name: payload.nme is missing: payload has name, …")


def test_missing_may_be_null() -> None:
    """With missing="null" a missing path renders as null, inside text as nothing."""
    assert compile_template(["{{a.b}}", "<{{a.b}}>"], missing="null").render({}) == [None, "<>"]


@pytest.mark.parametrize(
    ("template", "column", "message"),
    [
        ({"a": ["ok", "x {{payload."]}, 3, "a[1]: {{ is not closed by }}"),
        ("x {{a +}} y", 8, "expected a value instead of the end"),
        ("{{}}", 3, "the expression is empty"),
        ({"{{a}}": 1}, 1, "a key must be plain text without {{"),
        ({1: 1}, 1, "a key must be plain text without {{"),
    ],
)
def test_bad_template_names_place_and_column(template: dict[str, Any] | str, column: int, message: str) -> None:
    """A template that cannot be compiled is refused with its place and column."""
    with pytest.raises(ExpressionError) as caught:
        compile_template(template)
    assert (caught.value.message, caught.value.column) == (message, column)


def test_names_of_all_parts() -> None:
    """A template's names are those of all its expressions."""
    assert compile_template({"a": "{{payload.x}}", "b": ["{{headers.y}} {{z}}"]}).names == {"payload", "headers", "z"}
