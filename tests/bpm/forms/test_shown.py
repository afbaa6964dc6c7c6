"""What of a form is shown for what has been entered."""

from typing import Any

from bpm.forms import Option, ShownField, read_form, shown_fields
from tests.bpm.forms.test_forms import CHOICE, NOON, field, form


def shown(source: str, given: dict[str, Any] | None, **seen: Any) -> list[ShownField]:
    return shown_fields(read_form(source), given, seen, NOON)


def test_conditions_options_and_locks_are_evaluated() -> None:
    """They see what was entered, then the variables of the task."""
    source = form(
        field("textfield", "why", validate={"required": True}, conditional={"hide": "=approved"}),
        field("select", "way", valuesExpression="=ways", readonly="=limit > 100"),
        field("radio", "one", **CHOICE),
    )
    ways = ["post", {"label": "By rail", "value": "rail"}]
    why = ShownField("why", None, is_locked=False, is_required=True, options=None)
    way = ShownField("way", None, True, False, (Option("post", "post"), Option("rail", "By rail")))
    one = ShownField("one", None, False, False, (Option("one", "One"), Option(2, "Two"), Option("three", "three")))
    assert shown(source, {}, limit=500, ways=ways) == [why, way, one]
    assert shown(source, {"approved": True}, limit=500, ways=ways) == [way, one]


def test_rows_are_shown_one_by_one() -> None:
    """A list is a field of its own, and each row has its own conditions."""
    note = field("textfield", "note", conditional={"hide": "=this.amount < 10"})
    rows = {"type": "dynamiclist", "path": "order.rows", "components": [field("number", "amount"), note]}
    source = form({"type": "group", "components": [rows]})
    given = {"order": {"rows": [{"amount": 5}, {"amount": 50}]}}
    paths = [each.path for each in shown(source, given)]
    assert paths == ["order.rows", "order.rows[0].amount", "order.rows[1].amount", "order.rows[1].note"]


def test_a_form_begins_with_the_variables_of_its_names() -> None:
    """Of those that the task sees; what has been entered takes their place, emptied fields included."""
    source = form(field("number", "loan.amount"), field("textfield", "name"))
    seen: dict[str, Any] = {"loan": {"amount": 5}, "name": "Ann", "other": 1}
    assert [each.value for each in shown(source, None, **seen)] == [5, "Ann"]
    assert [each.value for each in shown(source, {"name": "Bob"}, **seen)] == [None, "Bob"]
