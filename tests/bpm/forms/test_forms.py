"""Forms of Camunda's modeller: what is read, what is refused, and what their fields may be given."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.forms import problems, read_form
from bpm.model_files.problems import InvalidDefinition

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def form(*components: dict[str, Any], **about: Any) -> str:
    """A file with these components."""
    return json.dumps({"type": "default", "id": "loan", "schemaVersion": 16, "components": components, **about})


def field(kind: str, key: str = "x", **about: Any) -> dict[str, Any]:
    return {"type": kind, "id": f"Field_{key}", "key": key, **about}


def found(source: str, given: dict[str, Any], **seen: Any) -> list[str]:
    return problems(read_form(source), given, seen, NOON)


CHOICE: dict[str, Any] = {"values": [{"label": "One", "value": "one"}, {"label": "Two", "value": 2}, "three"]}


@pytest.mark.parametrize(
    ("component", "good", "bad", "says"),
    [
        (field("textfield"), "a", 5, "must be a text"),
        (field("textfield", validate={"minLength": 3}), "abc", "ab", "must have at least 3 characters"),
        (field("textarea", validate={"maxLength": 3}), "abc", "abcd", "must have at most 3 characters"),
        (field("textfield", validate={"pattern": "^[A-Z]{2}$"}), "DE", "de", "must match ^[A-Z]{2}$"),
        (field("textfield", validate={"validationType": "email"}), "ann@b.com", "ann", "must be an address"),
        (field("textfield", validate={"validationType": "phone"}), "+49 30 1234", "call me", "must be a phone number"),
        (field("number"), 5, "5", "must be a number"),
        (field("number"), 5.5, True, "must be a number"),
        (field("number", serializeToString=True), "5.50", 5, "must be a number, written as a text"),
        (field("number", serializeToString=True), "5", "five", "must be a number, written as a text"),
        (field("number", validate={"min": 1.5}), 1.5, 1.4, "must be at least 1.5"),
        (field("number", validate={"max": 10}), 10, 10.1, "must be at most 10"),
        (field("number", decimalDigits=2), 1.25, 1.255, "must have at most 2 decimal places"),
        (field("number", decimalDigits=0), 100, 100.5, "must be a whole number"),
        (field("checkbox"), True, "yes", "must be true or false"),
        (field("radio", **CHOICE), 2, True, "is none of the options"),
        (field("select", **CHOICE), "three", "four", "is none of the options"),
        (field("checklist", **CHOICE), ["one", 2], ["one", "zero"], "holds what is none of the options"),
        (field("taglist", **CHOICE), ["three"], "three", "must be a list of options"),
        (field("datetime", subtype="date"), "2026-05-01", "2026-02-30", "must be a date"),
        (field("datetime", subtype="date"), "2026-05-01", "2026-05-01T09:00", "must be a date"),
        (field("datetime", subtype="time"), "09:30+02:00", "25:00", "must be a time"),
        (field("datetime", subtype="datetime"), "2026-05-01T09:30Z", "2026-05-01", "must be a date and time"),
        (
            field("datetime", subtype="date", disallowPassedDates=True),
            "2026-05-01",
            "2026-04-01",
            "must not be in the past",
        ),
    ],
)
def test_a_value_must_fit_its_field(component: dict[str, Any], good: Any, bad: Any, says: str) -> None:
    """The sentence names the field."""
    source = form({**component, "label": "The  label"})
    assert found(source, {"x": good}) == []
    (problem,) = found(source, {"x": bad})
    assert problem.startswith("variables.x (The label): ")
    assert says in problem
    assert found(source, {}) == []


@pytest.mark.parametrize("empty", [None, "", []])
@pytest.mark.parametrize("kind", ["textfield", "number", "checklist"])
def test_what_is_required_must_be_given(kind: str, empty: Any) -> None:
    """Clients send empty fields in several ways."""
    more = CHOICE if kind == "checklist" else {}
    source = form(field(kind, validate={"required": True}, **more))
    assert found(source, {"x": empty}) == found(source, {}) == ["variables.x: is required"]


def test_a_required_box_must_be_checked() -> None:
    """False is what an untouched box is."""
    source = form(field("checkbox", validate={"required": True}))
    assert found(source, {"x": False}) == ["variables.x: is required"]
    assert found(source, {"x": True}) == []


def test_fields_that_are_not_shown_are_asked_for_nothing() -> None:
    """Conditions see what is given, then the variables of the task."""
    source = form(
        field("textfield", "why", validate={"required": True}, conditional={"hide": "=approved"}),
        {
            "type": "group",
            "conditional": {"hide": "=limit > 100"},
            "components": [field("number", "n", validate={"min": 5})],
        },
    )
    assert found(source, {"approved": True, "n": 1}, limit=500) == []
    assert found(source, {"approved": False}, limit=500) == ["variables.why: is required"]
    assert found(source, {"why": "so", "n": 1}, limit=5) == ["variables.n: must be at least 5"]


def test_limits_and_options_may_be_expressions() -> None:
    """Of the variables, too."""
    source = form(
        field("number", "n", validate={"max": "=limit * 2"}),
        field("select", "a", valuesKey="offers.open"),
        field("radio", "b", valuesExpression="=for o in offers.open return {label: o, value: upper case(o)}"),
    )
    seen = {"limit": 5, "offers": {"open": ["x", "y"]}}
    assert found(source, {"n": 10, "a": "x", "b": "Y"}, **seen) == []
    assert len(found(source, {"n": 11, "a": "X", "b": "y"}, **seen)) == 3
    assert found(source, {"a": "x"}) == ["variables.a: is none of the options"]


def test_what_no_field_gives_changes_no_limit_and_no_condition() -> None:
    """Not in a row of a list, either; what a form computes counts as its own."""
    most = field("number", "n", validate={"max": "=limit"})
    why = field("textfield", "why", validate={"required": True}, conditional={"hide": "=total < limit"})
    computed = {"type": "expression", "key": "total", "expression": "=n * 2"}
    source = form(most, {"type": "group", "components": [why, computed]}, {
        "type": "dynamiclist", "path": "items", "components": [most],
    })  # fmt: skip
    seen = {"limit": 10, "total": 0}
    assert found(source, {"n": 11, "limit": 100}, **seen) == ["variables.n: must be at most 10"]
    assert found(source, {"items": [{"n": 11, "limit": 100}]}, **seen) == ["variables.items[0].n: must be at most 10"]
    assert found(source, {"n": 6, "total": 12}, **seen) == ["variables.why: is required"]
    assert found(source, {"n": 6, "total": 12, "limit": 100, "why": "so"}, **seen) == []


def test_locked_fields_need_not_be_given() -> None:
    """A person could not change them; what is given all the same must fit."""
    rule = {"required": True, "minLength": 3}
    source = form(
        field("textfield", "a", disabled=True, validate=rule), field("textfield", "b", readonly="=done", validate=rule)
    )
    assert found(source, {}, done=True) == []
    assert found(source, {}, done=False) == ["variables.b: is required"]
    assert found(source, {"a": "ab"}, done=True) == ["variables.a: must have at least 3 characters"]


def test_groups_lists_and_keys_with_points_are_nested() -> None:
    """Sentences name the whole way."""
    source = form(
        field("number", "loan.amount"),
        {"type": "group", "path": "person", "components": [field("textfield", "name", validate={"required": True})]},
        {
            "type": "dynamiclist",
            "path": "items",
            "components": [
                field("textfield", "sku", validate={"required": True}),
                field("number", "n", validate={"required": True}, conditional={"hide": '=this.sku = "none"'}),
            ],
        },
    )
    assert found(source, {"loan": {"amount": 1}, "person": {"name": "Ann"}, "items": [{"sku": "none"}]}) == []
    assert found(source, {"loan": {"amount": "1"}, "items": [{"sku": "a"}, 5]}) == [
        "variables.loan.amount: must be a number",
        "variables.person.name: is required",
        "variables.items[0].n: is required",
        "variables.items[1]: must be an object",
    ]
    assert found(source, {"person": {"name": "Ann"}, "items": {}}) == ["variables.items: must be a list"]
    assert found(source, {"person": "Ann"}) == ["variables.person: must be an object"]


def test_what_clients_draw_is_given_nothing() -> None:
    """It is read all the same."""
    drawn = [{"type": kind} for kind in ("text", "html", "image", "button", "separator", "spacer", "table", "iframe")]
    assert read_form(form(*drawn, {"type": "expression", "key": "sum", "expression": "=1"})).fields == ()
    assert read_form(form(versionTag="v1")).version_tag == "v1"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{", "the form is not JSON"),
        ("[]", "the form is not a JSON object"),
        (form(id=""), "the form has no id"),
        (form(id="x" * 201), "the form has no id of at most 200 characters"),
        (form(type="process"), "it is no form"),
        (form(versionTag=5), "its versionTag is not a text"),
        (form(components={}), "its components are not a list"),
        (form(field("textfeld")), "'x': its type 'textfeld' is none of a form's components; 'textfield' may be meant"),
        (form(field("filepicker")), "a filepicker is not executed: files are not kept"),
        (form(field("textfield", "")), "it has no key"),
        (form(field("textfield", "a..b")), "it has no key"),
        (form(field("textfield", validate={"minLenght": 1})), "'minLength' may be meant"),
        (form(field("number", validate={"pattern": "a"})), "'pattern' of its validate is not known for a number"),
        (form(field("textfield", validate={"validationType": "iban"})), "its validationType is not one of"),
        (form(field("textfield", validate={"pattern": "(?=a)b"})), "its pattern '(?=a)b' is not one"),
        (form(field("number", validate={"min": "=1 +"})), "its min: "),
        (form(field("textfield", conditional={"hide": "=1 +"})), "its condition: "),
        (form(field("textfield", conditional={"hied": "=a"})), "its conditional says nothing of when to hide it"),
        (form(field("select")), "it names no options"),
        (form(field("select", values="a")), "its values are not what they must be"),
        (form(field("datetime")), "its subtype is not one of date, time, datetime"),
        (form({"type": "dynamiclist", "components": []}), "its path is not a text"),
        (form(*[field("text")] * 1_001), "a form has at most 1000 components"),
    ],
)
def test_what_would_not_be_checked_is_refused(source: str, says: str) -> None:
    """By the key of the component."""
    with pytest.raises(InvalidDefinition) as caught:
        read_form(source)
    assert says in "; ".join(caught.value.errors)


def test_a_deep_form_is_refused() -> None:
    """Its levels are bounded."""
    component: dict[str, Any] = field("number")
    for _ in range(20):
        component = {"type": "group", "components": [component]}
    with pytest.raises(InvalidDefinition, match="20 levels deep"):
        read_form(form(component))


GROUP = {"type": "group", "path": "g", "components": [field("textfield", "a", readonly=True), field("textfield", "b")]}


@pytest.mark.parametrize(
    ("component", "seen", "given", "is_taken"),
    [
        (field("textfield", readonly=True), {"x": "1"}, {"x": "2"}, False),
        (field("textfield", disabled=True), {"x": "1"}, {"x": "2"}, False),
        (field("textfield", readonly="=fixed"), {"x": "1", "fixed": True}, {"x": "2", "fixed": False}, False),
        (field("textfield", readonly=True), {"x": "1"}, {"x": None}, False),
        (field("textfield", readonly=True), {"x": "1"}, {"x": ""}, False),
        (field("textfield", readonly=True), {"x": "1"}, {"x": "1"}, True),
        (field("number", readonly=True), {"x": 5}, {"x": 5.0}, True),
        (field("textfield", readonly=True), {"x": "1"}, {}, True),
        (field("textfield", readonly=True), {}, {"x": "what stands there unless it is said"}, True),
        (GROUP, {"g": {"a": "1"}}, {"g": {"a": "2"}}, False),
        (GROUP, {"g": {"a": "1"}}, {"g": {"b": "2"}}, False),
        (GROUP, {"g": {"a": "1"}}, {"g": {"a": "1", "b": "2"}}, True),
        (GROUP, {"g": {"a": "1"}}, {}, True),
    ],
)
def test_what_is_read_only_stays_as_it_is(
    component: dict[str, Any], seen: dict[str, Any], given: dict[str, Any], is_taken: bool
) -> None:
    """It may be given as it is, or left out with all that is around it."""
    problems_found = found(form(component), given, **seen)
    assert (problems_found == []) is is_taken, problems_found
    assert is_taken or "can't be changed; give it as it is" in problems_found[0]
