"""What a stranger's body can set in motion on the way to its handler: refused for good, and others never wait."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic_core import to_json

from bpm.dmn import DecisionFailed, decide, load_decisions
from bpm.events.publisher import LEAST_FILTER_STEPS, MAX_FILTER_STEPS
from bpm.strict_json import MAX_VALUES, StrictJsonError, parse_json
from bpm.testing import RunningApp, running_app
from tests.bpm.dmn.test_decisions import FILE, table
from tests.commands.playing import bpmn
from tests.effort import effort_below
from tests.router.conftest import until

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BRANCHES = [
    {"type": "object", "properties": {"kind": {"const": kind}, "child": {"$ref": "#/$defs/node"}}, "required": ["kind"]}
    for kind in ("group", "item", "link")
]
TREE = {"$defs": {"node": {"oneOf": BRANCHES}}, "$ref": "#/$defs/node"}
MANY = list(range(140_000))


@pytest.fixture(scope="module")
async def app(anyio_backend: str) -> Any:
    """One running application; the receivers of these tests do not exist."""
    async with running_app(delivery={"probe": "off"}) as running:
        yield running


@pytest.mark.anyio
async def test_a_costly_mapping_is_dead_at_its_first_attempt(app: RunningApp) -> None:
    """Its cause names the limit; five attempts would come to the same."""
    await app.rule(
        "costly", commandName="PublishEventCommand", parameters={"event": "a.b", "data": "{{mode(payload)}}"}
    )
    await app.hook("costly", MANY)
    (kept,) = await until(app, "costly", "dead")
    assert kept["attempt"] == 1
    assert "take more than" in kept["errors"][0]


@pytest.mark.anyio
async def test_a_thousand_fields_share_one_budget(app: RunningApp) -> None:
    """A caller who waits is told so as well."""
    data = {f"field{number}": "{{count(payload[item > 5])}}" for number in range(1_000)}
    parameters = {"event": "a.b", "data": data}
    await app.rule(
        "fields",
        commandName="PublishEventCommand",
        parameters=parameters,
        responseMode="sync",
        allowableIPs="127.0.0.1",
    )
    answer = await app.hook("fields", list(range(5_000)))
    assert answer.status == 422
    assert "take more than" in answer.errors[0]


@pytest.mark.anyio
async def test_nested_data_under_an_honest_recursive_schema_is_answered(app: RunningApp) -> None:
    """Sixty levels are told apart in a moment, and the sentence names the place."""
    await app.cmd("RegisterEventTypeCommand", event="tree.changed", schema=TREE)
    node: Any = {"kind": "nope"}
    for _ in range(50):
        node = {"kind": "group", "child": node}
    refused = await app.send("PublishEventCommand", {"event": "tree.changed", "data": node})
    assert refused.status == 422
    assert "oneOf" in refused.errors[0]
    assert (await app.send("PublishEventCommand", {"event": "tree.changed", "data": {"kind": "item"}})).status == 200


@pytest.mark.anyio
async def test_data_too_costly_for_its_schema_is_refused_for_good(app: RunningApp) -> None:
    """The request is dead at its first attempt."""
    schema = {"properties": {"list": {"uniqueItems": True}}}
    await app.cmd("RegisterEventTypeCommand", event="list.changed", schema=schema)
    parameters = {"event": "list.changed", "data": "{{payload}}"}
    await app.rule("unique", commandName="PublishEventCommand", parameters=parameters)
    await app.hook("unique", {"list": [{"x": number} for number in range(60_000)]})
    (kept,) = await until(app, "unique", "dead")
    assert kept["attempt"] == 1
    assert "checks against the JSON Schema take more than" in kept["errors"][0]


@pytest.mark.anyio
async def test_a_form_whose_schema_is_none_is_refused_when_deployed(app: RunningApp) -> None:
    """Nobody learns it when completing the task."""
    form = '<extensionElements><bpm:formSchema>{"type": "nope"}</bpm:formSchema></extensionElements>'
    user = f'<startEvent id="s"/><userTask id="t">{form}</userTask><sequenceFlow id="f" sourceRef="s" targetRef="t"/>'
    xml = bpmn("start s; end e\ns -> e").split("<startEvent")[0] + user + "</process></definitions>"
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": xml})
    assert refused.status == 422
    assert "form's schema is not a JSON Schema" in "; ".join(refused.errors)


@pytest.mark.anyio
async def test_a_costly_filter_harms_its_own_subscription_alone(app: RunningApp) -> None:
    """Its delivery is dead and says why; another subscription of the same event has its own steps."""
    filters = {"costly": "some x in data.list satisfies count(data.list[item > x]) < 0", "honest": "data.list[0] == 0"}
    made = {
        name: await app.cmd(
            "CreateSubscriptionCommand",
            name=name,
            url="https://hooks.example.com/",
            events=["task.created"],
            filter=each,
            isActive=False,
        )
        for name, each in filters.items()
    }
    await app.cmd("PublishEventCommand", event="task.created", data={"list": list(range(5_000))})
    items = (await app.cmd("GetDeliveryListQuery"))["items"]
    errors = {item["subscriptionId"]: item["lastError"] for item in items if item["event"] == "task.created"}
    assert "take more than" in errors[made["costly"]["id"]]
    assert "take more than" not in (errors[made["honest"]["id"]] or "")


def test_filters_of_many_subscriptions_are_bounded_together() -> None:
    """With a thousand of them, none may take more than a thousandth, and each may take a few hundred steps."""
    assert LEAST_FILTER_STEPS * 1_000 <= MAX_FILTER_STEPS


def test_a_decision_is_bounded() -> None:
    """A table of tests that each loop fails with a sentence."""
    rules = [([f"count(list[item > ?]) > {number}"], ["1"]) for number in range(400)]
    decision = load_decisions(FILE.format(table(rules, policy="COLLECT")))["d"]
    with pytest.raises(DecisionFailed, match="take more than"):
        decide(decision, {"n": 1, "list": list(range(5_000))}, NOON)


def test_json_with_too_many_values_is_refused() -> None:
    """A body of nothing but brackets is not looked at one by one."""
    for raw in (b"[" + b",".join([b"[]"] * (MAX_VALUES + 1)) + b"]", to_json(list(range(MAX_VALUES + 1)))):
        with pytest.raises(StrictJsonError, match="more than 250000 values"):
            parse_json(raw)
    assert len(parse_json(to_json(MANY))) == len(MANY)


@pytest.mark.anyio
@pytest.mark.parametrize("username", ["admin", "nobody"])
async def test_a_password_of_accents_is_refused_in_a_moment(app: RunningApp, username: str) -> None:
    """To bring them into their order takes the square of their number, and nothing else runs meanwhile."""
    password = "a" + "\u0301" * 16_000 + "\u0316" * 16_000
    with effort_below(0.8):
        answer = await app.request("POST", "/api/auth/token", {"username": username, "password": password})
    assert answer.status == 401
