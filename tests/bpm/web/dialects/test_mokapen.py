"""Mokapen's interface, against its own documentation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bpm.testing import WebhookReceiver, running_app, until
from tests.contracts.dialect import WRITE, Answer, Caller, DialectContract, caller

pytestmark = pytest.mark.anyio

SAMPLE = (Path(__file__).parents[3] / "payloads" / "mokapen_register.http").read_text()
ENTITIES = "task project contact company ticket booking product service quote order deal appointment document campaign"
NEW = {
    "url": "https://example.com/webhooks/mokapen",
    "org_id": 849,
    "events": ["task.created", "task.updated", "contact.created"],
}
NOT_AUTHORIZED = {"status": False, "message": "This token is not authorized for this organization."}


class TestMokapen(DialectContract):
    """`/api/webhooks`."""

    LIST, EVENTS, FAMILY, NEW = "/api/webhooks", "/api/webhook-events", "mokapen", NEW
    NO_TOKEN: ClassVar[Mapping[str, Any]] = {"status": False, "message": "Unauthenticated: No Token Provided"}
    WRONG_TOKEN: ClassVar[Mapping[str, Any]] = {"status": False, "message": "Invalid Token"}
    LACKING: ClassVar[Mapping[str, Any]] = {"status": False, "message": "Missing required scopes"}
    MISSING: ClassVar[Mapping[str, Any]] = {"status": False, "message": "Webhook not found"}
    ONE = (
        ("GET", "/api/webhooks/{id}/logs", None),
        ("PUT", "/api/webhooks/{id}", {"events": ["task.created"]}),
        ("DELETE", "/api/webhooks/{id}", None),
    )

    def listed(self, answer: Answer) -> list[Any]:
        """The envelope's data."""
        return answer.json["data"]

    def made(self, answer: Answer) -> Any:
        """The envelope's data."""
        return answer.json["data"]

    def new(self, organization_id: int = 849) -> dict[str, Any]:
        """The sample, for an organisation."""
        return {**NEW, "org_id": organization_id}

    async def test_the_sample_of_the_documentation(self, owner: Caller) -> None:
        """The documented request registers a webhook and is shown its secret, which no other answer shows."""
        head, _, body = SAMPLE.partition("\n\n")
        method, path = head.splitlines()[0].split()
        answer = await owner(method, path, body)
        assert answer.status == 201
        shown = answer.json["data"]
        assert answer.json["status"] is True
        assert {name: shown[name] for name in NEW} == NEW
        assert (shown["is_active"], shown["updated_at"]) == (True, None)
        assert shown["secret"].startswith("whsec_")
        secret = shown.pop("secret")
        listed = await owner("GET", "/api/webhooks?org_id=849")
        assert listed.json["data"] == [shown]
        assert secret not in listed.text

    async def test_the_events_of_the_documentation(self, owner: Caller) -> None:
        """All 42, in the order of the document."""
        names = (await owner("GET", "/api/webhook-events")).json["data"]
        assert names == [
            f"{entity}.{verb}" for entity in ENTITIES.split() for verb in ("created", "updated", "deleted")
        ]
        assert (await owner("POST", "/api/webhooks", {**NEW, "events": names})).status == 201

    async def test_a_token_is_bound_to_an_organisation(self, owner: Caller) -> None:
        """Another one's number is refused wherever it may stand."""
        made = await self.create(owner)
        for method, path, body in (
            ("POST", "/api/webhooks", {**NEW, "org_id": 850}),
            ("PUT", f"/api/webhooks/{made['id']}", {"org_id": 850}),
            ("GET", "/api/webhooks?org_id=850", None),
            ("GET", f"/api/webhooks/{made['id']}/logs?org_id=850", None),
        ):
            answer = await owner(method, path, body)
            assert (answer.status, answer.json) == (403, NOT_AUTHORIZED)

    @pytest.mark.parametrize(
        ("change", "errors"),
        [
            ({"org_id": None}, {"org_id": ["Org id is required"]}),
            ({"org_id": "849"}, {"org_id": ["must be an integer"]}),
            ({"url": None}, {"url": ["Url is required"]}),
            ({"events": []}, None),
            ({"events": ["task.exploded"]}, None),
            ({"events": "task.created"}, {"events": ["must be an array"]}),
            ({"url": "http://example.com/"}, None),
            ({"secret": "mine"}, {"secret": ["is not a known field"]}),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, owner: Caller, change: dict[str, Any], errors: dict[str, list[str]] | None
    ) -> None:
        """Each problem stands under the field it is about."""
        answer = await owner("POST", "/api/webhooks", {**NEW, **change})
        assert answer.status == 422
        assert answer.json["message"] == "Validation failed"
        if errors is not None:
            assert answer.json["errors"] == errors
        (name,) = change
        assert {field.partition(".")[0] for field in answer.json["errors"]} == {name}

    async def test_every_problem_is_named_at_once(self, owner: Caller) -> None:
        """An empty body lacks all three fields; unknown ones do not hide what else is wrong."""
        answer = await owner("POST", "/api/webhooks", {})
        assert (answer.status, set(answer.json["errors"])) == (422, {"org_id", "url", "events"})
        answer = await owner("POST", "/api/webhooks", {"org_id": "849", "secret": "mine", "events": "task.created"})
        assert set(answer.json["errors"]) == {"org_id", "secret", "url", "events"}
        made = await self.create(owner)
        answer = await owner("PUT", f"/api/webhooks/{made['id']}", {"org_id": True, "url": 1, "name": "x"})
        assert set(answer.json["errors"]) == {"org_id", "url", "name"}

    async def test_a_webhook_is_changed_and_deleted(self, owner: Caller) -> None:
        """PUT changes what is given and shows the webhook; DELETE says so."""
        made = await self.create(owner)
        address = f"/api/webhooks/{made['id']}"
        answer = await owner("PUT", address, {"url": "https://example.com/new", "org_id": 849, "events": None})
        assert (answer.status, answer.json["data"]["url"]) == (200, "https://example.com/new")
        assert answer.json["data"]["events"] == NEW["events"]
        assert answer.json["data"]["updated_at"] is not None
        gone = await owner("DELETE", address)
        assert (gone.status, gone.json) == (200, {"status": True, "message": "Webhook deleted successfully"})
        assert (await owner("GET", "/api/webhooks")).json["data"] == []

    async def test_numbers_are_webhooks_and_words_are_rules(self, owner: Caller) -> None:
        """A number's address is Mokapen's, but a rule whose key is a number is still found by POST."""
        refused = await owner("GET", "/api/webhooks/7", None)
        assert (refused.status, refused.headers["allow"]) == (405, "PUT, DELETE")
        for method, path in (("POST", "/api/webhooks/7"), ("PUT", "/api/webhooks/seven"), ("PUT", "/api/webhook/7")):
            refused = await owner.unchecked(method, path)
            assert (refused.status, refused.json["errors"]) == (404, ["There is no webhook here"])

    async def test_a_log_shows_requests_and_answers(self, document: Any, receiver: WebhookReceiver) -> None:
        """Each attempt is a line, the newest first, in pages."""
        delivery = {"probe": "off", "allowed_networks": "127.0.0.0/8"}
        async with running_app(delivery=delivery) as running:
            owner = await caller(running.app, document, 1, *WRITE)
            made = self.made(await owner("POST", "/api/webhooks", {**NEW, "org_id": 1, "url": receiver.url}))
            await running.cmd("PublishEventCommand", event="task.created", data={"id": 1})
            await receiver.wait_for(1)
            logs = await until_logged(owner, made["id"])
        (line,) = logs.json["data"]
        assert (line["event"], line["status"], line["response_code"], line["attempt"]) == (
            "task.created",
            "success",
            200,
            1,
        )
        assert '"task.created"' in line["request_body"]
        assert line["webhook_id"] == made["id"]
        assert logs.json["meta"] == {"current_page": 1, "per_page": 50, "last_page": 1, "total": 1}

    async def test_a_page_of_the_log_has_bounds(self, owner: Caller) -> None:
        """A page beyond the last is empty; a page that is no number is refused."""
        made = await self.create(owner)
        address = f"/api/webhooks/{made['id']}/logs"
        assert (await owner("GET", f"{address}?page=7&per_page=1")).json["data"] == []
        answer = await owner("GET", f"{address}?per_page=201")
        assert answer.json["errors"] == {"per_page": ["must be a whole number from 1 to 200"]}

    async def test_too_many_requests(self, document: Any) -> None:
        """Above the limit the documented body says how many there may be and when to come again."""
        async with running_app(dialects={"requests_per_minute": 2}, worker=False) as running:
            owner = await caller(running.app, document, 849, *WRITE)
            for _ in range(2):
                assert (await owner("GET", "/api/webhooks")).status == 200
            answer = await owner("GET", "/api/webhooks")
        retry_after = int(answer.headers["retry-after"])
        assert 1 <= retry_after <= 60
        assert (answer.status, answer.json) == (
            429,
            {
                "status": False,
                "message": "Too Many Requests",
                "max_attempts": 2,
                "remaining": 0,
                "retry_after": retry_after,
            },
        )


async def until_logged(owner: Caller, id_: int) -> Answer:
    """Return a webhook's log once it has a line."""
    return await until(lambda: owner("GET", f"/api/webhooks/{id_}/logs"), lambda answer: answer.json["data"])
