"""The interfaces of other products: a client with a key of its own can't make them cost others their time."""

import json
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.effort import effort_below

pytestmark = pytest.mark.anyio

MOKAPEN, PLANDOCKET, DONUTWORK = "/api/webhooks", "/api/v1/webhooks", "/2026-02-01/webhooks.json"
EVENTS = {MOKAPEN: "/api/webhook-events", PLANDOCKET: "/api/v1/webhooks/events"}
UNKNOWN = {f"k{number}": 1 for number in range(4_500)}
"""Nearly as many fields as a body may have."""


@pytest.fixture(scope="module")
async def app(anyio_backend: str) -> Any:
    """One running application; no receiver is asked whether it is there."""
    async with running_app(delivery={"probe": "off"}, worker=False) as running:
        yield running


async def ask(app: RunningApp, method: str, path: str, body: Any = None) -> Any:
    """Send a request as the administrator."""
    return await app.request(method, path, body, {"authorization": f"Bearer {app.token}"})


@pytest.mark.parametrize("path", [MOKAPEN, PLANDOCKET, DONUTWORK])
async def test_of_very_many_unknown_fields_some_are_named(app: RunningApp, path: str) -> None:
    """A megabyte of them took four seconds in which nobody else was answered, and the answer was three of them."""
    body = {"webhook": UNKNOWN} if path == DONUTWORK else UNKNOWN
    with effort_below(0.5):
        answer = await ask(app, "POST", path, body)
    assert answer.status in (400, 422)
    said = json.dumps(answer.body)
    assert "4400 further fields" in said
    assert len(said) < 10_000


@pytest.mark.parametrize("path", [MOKAPEN, PLANDOCKET, DONUTWORK])
async def test_a_body_that_no_webhook_needs_is_not_read(app: RunningApp, path: str) -> None:
    """Others wait while it is read and checked; as many events as there may be have room."""
    fields: dict[str, Any] = {"url": "https://example.com/x", "events": ["invoice.paid"] * 20_000}
    assert (await ask(app, "POST", path, fields)).status == 413
    most = {"name": "n", "url": "https://example.com/x", "events": [f"e{n:03}." + "x" * 195 for n in range(200)]}
    assert len(json.dumps(most)) < 48 * 1024
    assert (await ask(app, "POST", path, {"webhook": most} if path == DONUTWORK else most)).status != 413


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_organisation_beyond_all_numbers_is_another_one(app: RunningApp, method: str, number: int) -> None:
    """It was an unexpected error, because no column holds it."""
    path = MOKAPEN if method == "POST" else f"{MOKAPEN}/1"
    body = {"url": "https://example.com/x", "org_id": number, "events": ["task.created"]}
    assert (await ask(app, method, path, body)).status == 403


async def test_names_of_large_types_are_all_told(app: RunningApp) -> None:
    """Their schemas and examples are not read for it: they filled the page, and what had no room was not told."""
    example = {"numbers": [1.5] * 2_000, "text": "x" * 200_000}
    for number in range(45):
        await app.cmd("RegisterEventTypeCommand", event=f"large.type{number:03}", example=example)
    for path in EVENTS.values():
        with effort_below(0.5):
            told = (await ask(app, "GET", path)).body["data"]
        assert {f"large.type{number:03}" for number in range(45)} <= set(told)
    brief = await app.cmd("GetEventTypeListQuery", brief=True, pageSize=200, searchText="large.")
    assert [(item["registered"], item["schema"], item["example"]) for item in brief["items"]] == [
        (True, None, None)
    ] * 45
