"""Donutwork's interface, against its own documentation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bpm.app import App
from bpm.testing import running_app
from tests.contracts.dialect import WRITE, Answer, Caller, DialectContract, caller

pytestmark = pytest.mark.anyio

PAYLOADS = Path(__file__).parents[3] / "payloads"
NEW = json.loads((PAYLOADS / "donutwork_create.json").read_text())
CREATED = json.loads((PAYLOADS / "donutwork_created.json").read_text())
LISTED = json.loads((PAYLOADS / "donutwork_list.json").read_text())
LIST, ONE = "/2026-02-01/webhooks.json", "/2026-02-01/webhook.json"
NOT_FOUND = {"error": "Webhook not found."}
NOT_DELETED = {"error": "Webhook not found. Unable to delete unknown resource"}
NO_URL = 'A valid "url" must be specified.'


def changed(**fields: Any) -> dict[str, Any]:
    """Return the documented body with other fields."""
    return {"webhook": {**NEW["webhook"], **fields}}


class TestDonutwork(DialectContract):
    """`/2026-02-01/webhooks.json`."""

    LIST, EVENTS, FAMILY, NEW = LIST, "/2026-02-01/webhooks/types.json", "donutwork", NEW
    NO_TOKEN: ClassVar[Mapping[str, Any]] = {"error": "Invalid token"}
    WRONG_TOKEN = NO_TOKEN
    MISSING = NOT_FOUND
    UNKNOWN_IDS = ("wh_999999", "wh_000", "wh_1", "1", "wh_", "wh_99999999999999999999")
    ONE = (("GET", f"{ONE}?webhookId={{id}}", None), ("DELETE", f"{ONE}?webhookId={{id}}", None))

    def listed(self, answer: Answer) -> list[Any]:
        """The page's elements."""
        return answer.json["elements"]

    def made(self, answer: Answer) -> Any:
        """There is no envelope."""
        return answer.json

    def missing(self, method: str) -> Any:
        """Deleting has a text of its own."""
        return NOT_DELETED if method == "DELETE" else NOT_FOUND

    def lacking(self, method: str) -> Any:
        """The documents name the permission."""
        return {"error": f"The permission webhooks:{'read' if method == 'GET' else 'write'} is required"}

    def written(self, number: int) -> str:
        """As in `wh_001`."""
        return f"wh_{number:03d}"

    async def test_the_samples_of_the_documentation(self, owner: Caller) -> None:
        """The documented request gets the documented answers, to the letter but for the token."""
        made = await owner("POST", LIST, NEW)
        token = made.json["token"]
        assert made.json == {**CREATED, "token": token}
        assert list(made.json) == list(CREATED)
        assert token.startswith("whsec_")
        redacted = {**CREATED, "token": "redacted"}
        await owner("POST", LIST, changed(name="Second"))
        first = await owner("GET", f"{LIST}?size=100")
        assert {**first.json, "elements": first.json["elements"][:1]} == LISTED
        assert (await owner("GET", f"{ONE}?webhookId=wh_001")).json == redacted
        assert (await owner("DELETE", f"{ONE}?webhookId=wh_001")).json == {"id": "wh_001", "deleted": True}

    async def test_the_types_of_the_documentation(self, owner: Caller) -> None:
        """The two documented events, and beside them what the organisation has registered."""
        answer = await owner("GET", self.EVENTS)
        assert answer.json == ["RecurringPayments.charge.paid", "RecurringPayments.charge.failed"]

    async def test_one_event_needs_no_brackets(self, owner: Caller) -> None:
        """A string is a list of one."""
        made = await owner("POST", LIST, changed(events="RecurringPayments.charge.failed", description=None))
        assert made.json["events"] == ["RecurringPayments.charge.failed"]
        assert made.json["description"] == ""

    @pytest.mark.parametrize(
        ("body", "status", "error"),
        [
            (changed(url=None), 400, NO_URL),
            (changed(url=""), 400, NO_URL),
            (changed(name=""), 400, 'A valid "name" must be specified.'),
            (changed(name=5), 400, 'A valid "name" must be specified.'),
            (changed(events=[]), 400, 'A valid "events" must be specified.'),
            (changed(events={"a": 1}), 400, 'A valid "events" must be specified.'),
            (changed(description=[]), 400, 'A valid "description" must be specified.'),
            (changed(url="example"), 422, NO_URL),
            (changed(url="http://example.com/"), 400, NO_URL),
            (changed(url="https://10.0.0.1/"), 400, NO_URL),
            (changed(events=["task.created"]), 422, "Some events are not available"),
            (changed(events="no event"), 422, "Some events are not available"),
            (changed(colour="red"), 400, "colour: is not a known field"),
            ({}, 400, 'A valid "webhook" must be specified.'),
            ({"webhook": []}, 400, 'A valid "webhook" must be specified.'),
        ],
    )
    async def test_a_wrong_field_is_named(self, owner: Caller, body: dict[str, Any], status: int, error: str) -> None:
        """What is missing is 400, what is not available or no URL is 422."""
        answer = await owner("POST", LIST, body)
        assert (answer.status, answer.json) == (status, {"error": error})

    async def test_a_certificate_that_is_not_valid_is_no_url(self, document: Any) -> None:
        """With the probe on, a receiver without TLS is told as the documents say."""
        async with running_app(worker=False) as running:
            owner = await caller(running.app, document, 849, *WRITE)
            answer = await owner("POST", LIST, changed(url="https://nowhere.invalid/"))
        assert (answer.status, answer.json) == (400, {"error": NO_URL})

    async def test_pages(self, app: App, owner: Caller) -> None:
        """A page has its size and number, and one beyond the last is empty."""
        made = [(await self.create(owner))["id"] for _ in range(3)]
        second = (await owner("GET", f"{LIST}?size=2&page=2")).json
        assert (second["count"], second["per_page"], second["pages"]) == (3, 2, {"current": 2, "max": 2})
        assert [element["id"] for element in second["elements"]] == made[2:]
        assert (await owner("GET", f"{LIST}?page=9")).json["elements"] == []
        for query, name in (("size=0", "size"), ("size=101", "size"), ("page=x", "page"), ("page=-1", "page")):
            answer = await owner("GET", f"{LIST}?{query}")
            assert (answer.status, answer.json) == (400, {"error": f'A valid "{name}" must be specified.'})

    async def test_an_id_must_be_given(self, owner: Caller) -> None:
        """Without `webhookId` nothing is looked for."""
        answer = await owner("GET", ONE)
        assert (answer.status, answer.json) == (400, {"error": 'A valid "webhookId" must be specified.'})
