"""Several rules at one address: conditions, order, methods and expiry."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpm.testing import RunningApp
from tests.router.conftest import noting, rows, send_from

pytestmark = pytest.mark.anyio


async def shared(app: RunningApp, path: str) -> dict[str, Any]:
    """Create rules for two events and one for the rest at an address; return the id of each by its name."""
    rules = {
        "paid": {"when": 'payload.event == "paid"', "order": 20},
        "large": {"when": 'payload.event == "paid" && payload.amount > 100', "order": 10},
        "rest": {},
    }
    made = {name: await noting(app, f"{path}-{name}", path=path, **fields) for name, fields in rules.items()}
    return {name: rule["id"] for name, rule in made.items()}


async def taken_by(app: RunningApp, path: str) -> list[str | None]:
    """Return which rule each request at an address came to, or why none took it."""
    kept = await rows(app, path=path)
    return [row.cause or row.config_key.removeprefix(f"{path}-") for row in kept]


async def test_the_first_rule_whose_condition_holds_takes_the_request(app: RunningApp) -> None:
    """The order is the rules', not that in which they were made; what lacks a field does not hold."""
    await shared(app, "choice")
    for body in ({"event": "paid", "amount": 500}, {"event": "paid", "amount": 5}, {"event": "paid"}, {}, "text", [1]):
        assert (await app.hook("choice", body)).ok
    assert await taken_by(app, "choice") == ["large", "paid", "paid", "rest", "rest", "rest"]


async def test_what_no_condition_wants_is_kept_and_driven_again(app: RunningApp) -> None:
    """A provider is told 404; once a rule takes the rest, the request can be driven again."""
    await noting(app, "lonely-paid", path="lonely", when='payload.event == "paid"', order=1)
    assert (await app.hook("lonely", {"event": "refunded"})).status == 404
    (row,) = await rows(app, path="lonely")
    assert (row.state, row.cause) == ("quarantined", "condition")
    assert "lonely-paid" in row.errors[0]
    await noting(app, "lonely-rest", path="lonely")
    assert (await app.cmd("ReplayInboundRequestCommand", requestId=row.request_id))["replayed"]
    assert await taken_by(app, "lonely") == ["rest"]


async def test_a_rule_that_is_switched_off_keeps_what_is_its_own(app: RunningApp) -> None:
    """Its requests do not fall to the rest: they wait in quarantine."""
    ids = await shared(app, "off")
    await app.cmd("DeactivateWebHookConfigCommand", id=ids["large"])
    assert (await app.hook("off", {"event": "paid", "amount": 500})).status == 404
    assert await taken_by(app, "off") == ["disabled"]


async def test_the_key_leads_to_one_rule_alone(app: RunningApp) -> None:
    """Its condition counts there, too."""
    await shared(app, "keyed")
    assert (await app.hook("keyed-large", {"event": "paid", "amount": 500})).ok
    assert (await app.hook("keyed-large", {"event": "paid", "amount": 5})).status == 404


async def test_orders_and_the_rest_are_told_apart_when_saved(app: RunningApp) -> None:
    """One rule an order, one without a condition; a condition needs an order; the neighbours are named."""
    await shared(app, "saved")
    twice = await app.send("CreateWebHookConfigCommand", rule("saved", "saved-b", when="true", order=10))
    assert (twice.status, twice.errors) == (409, ["order: 10 of POST saved is that of the configuration 'saved-large'"])
    rest = await app.send("CreateWebHookConfigCommand", rule("saved", "saved-c"))
    assert rest.errors == ["path: POST saved is answered by the configuration 'saved-rest' already"]
    without = await app.send("CreateWebHookConfigCommand", rule("saved", "saved-d", when="true"))
    assert without.errors[0].startswith("order: is required with when")
    alone = await app.send("CreateWebHookConfigCommand", rule("saved", "saved-e", order=3))
    assert alone.errors[0].startswith("order: can't be set without when")
    wrong = await app.send("CreateWebHookConfigCommand", rule("saved", "saved-f", when="payload.", order=3))
    assert wrong.status == 422
    signed = {"scheme": "github", "secret": "s3cret-of-eight"}
    made = await app.cmd(
        "CreateWebHookConfigCommand", **rule("saved", "saved-g", when="true", order=3, signature=signed)
    )
    assert made["warnings"][0].startswith("path: 'saved-paid' (order 20), 'saved-large' (order 10), 'saved-rest'")
    assert "are not both signed" in made["warnings"][1]


async def test_a_rule_may_take_several_methods(app: RunningApp) -> None:
    """Each method is looked at when another rule wants one of them, and `Allow` names them all."""
    await noting(app, "many", path="many", moreMethods=["PUT", "PATCH"])
    for method in ("POST", "PUT", "PATCH"):
        assert (await called(app, "many", method)).status == 200
    refused = await called(app, "many", "DELETE")
    assert (refused.status, refused.headers["allow"]) == (405, "PATCH, POST, PUT")
    taken = await app.send("CreateWebHookConfigCommand", rule("many", "many-b", action="DELETE", moreMethods=["PUT"]))
    assert taken.errors == ["path: PUT many is answered by the configuration 'many' already"]
    doubled = await app.send("CreateWebHookConfigCommand", rule("many-c", "many-c", moreMethods=["POST"]))
    assert doubled.errors[0].startswith("moreMethods: must name each method once")


async def test_a_rule_expires(app: RunningApp) -> None:
    """From that moment on callers are told 404, and what comes is kept with the cause `expired`."""
    now = datetime.now(UTC)
    await noting(app, "soon", expiresAt=(now + timedelta(days=1)).isoformat())
    await noting(app, "over", expiresAt=(now - timedelta(days=1)).isoformat())
    assert (await app.hook("soon", {})).ok
    assert (await app.hook("over", {})).status == 404
    (row,) = await rows(app, path="over")
    assert (row.state, row.cause) == ("quarantined", "expired")


async def test_dry_runs_and_back_tests_know_the_neighbours(app: RunningApp) -> None:
    """What an earlier rule takes is not the later one's; a draft is asked in its own place."""
    ids = await shared(app, "alike")
    for body in ({"event": "paid", "amount": 500}, {"event": "paid", "amount": 5}, {}):
        assert (await app.hook("alike", body)).ok
    large = {"body": {"event": "paid", "amount": 500}}
    tried = {name: await app.cmd("TestWebHookConfigCommand", id=id_, request=large) for name, id_ in ids.items()}
    assert {name: found["verdict"]["cause"] for name, found in tried.items()} == {
        "large": None,
        "paid": "condition",
        "rest": "condition",
    }
    assert tried["rest"]["verdict"]["detail"] == "the configuration 'alike-large' takes it"
    assert tried["rest"]["route"]["answeredBy"] == "alike-large"
    draft = {**rule("alike", "", when="true", order=1)}
    del draft["key"]
    found = await app.cmd("TestWebHookConfigCommand", config=draft, request=large)
    assert found["verdict"]["passed"]
    compared = await app.cmd("BackTestWebHookConfigCommand", id=ids["rest"], count=10)
    assert {change: count for change, count in compared["counts"].items() if count} == {"refused": 2, "same": 1}


async def test_back_tests_know_every_method_of_a_neighbour(app: RunningApp) -> None:
    """What came to a rule beside by a method that is not its `action` is looked at, too."""
    await noting(app, "methods-many", path="methods", when="true", order=1, moreMethods=["PUT"])
    await called(app, "methods", "PUT")
    draft = rule("methods", "", action="PUT")
    del draft["key"]
    compared = await app.cmd("BackTestWebHookConfigCommand", config=draft, count=10)
    assert compared["counts"]["refused"] == 1


async def called(app: RunningApp, path: str, method: str) -> Any:
    """Send a request without a body with a method."""
    return await send_from(app, "192.0.2.1", path, method=method)


def rule(path: str, key: str, **fields: Any) -> dict[str, Any]:
    """Return the fields of a rule that leaves an event."""
    base = {"description": "d", "isEnabled": True, "action": "POST", "executionType": 0, "commandName": "NoteCommand"}
    return {**base, "path": path, "key": key, "parameters": {"event": key}, **fields}
