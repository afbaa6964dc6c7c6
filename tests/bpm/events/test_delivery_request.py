"""What is sent: the usual body, CloudEvents in both modes, and PlanDocket's signature."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cloudevents.v1.http import from_http  # pyright: ignore[reportUnknownVariableType]
from standardwebhooks import Webhook

from bpm.events.delivery_request import BINARY, STRUCTURED, EventNotice, make_request
from bpm.events.destination import Destination
from bpm.events.sealing import SigningSecret
from bpm.events.signing import new_secret

NOW = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
SECRET = new_secret()
NOTICE = EventNotice(
    "0196-a", "order.created", datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), '{"n":1,"t":"ü"}'.encode()
)
PLAIN = Destination(
    id=1,
    version=1,
    organization_id=1,
    name="",
    url="https://example.com/hook",
    dialect="standard",
    format="standard",
    headers={"X-Mine": "1"},
    secrets=[SigningSecret(SECRET)],
    filter=None,
    ordering=None,
    template=None,
    script=None,
    max_in_flight=None,
    rate_per_second=None,
    retry_count=None,
    timeout_seconds=30,
)
SOURCE = "https://bpm.example"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """Whoever verifies a signature looks at the clock, too."""
    with time_machine.travel(NOW, tick=False):
        yield


def test_the_usual_body() -> None:
    """Type, timestamp and data, as Standard Webhooks has them."""
    request = make_request(PLAIN, NOTICE, None, SOURCE, NOW)
    assert json.loads(request.body) == {
        "type": "order.created",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "data": {"n": 1, "t": "ü"},
    }
    assert (request.headers["Content-Type"], request.headers["X-Mine"]) == ("application/json", "1")
    Webhook(SECRET).verify(request.body, dict(request.headers))


def test_a_transformed_body_is_what_is_signed() -> None:
    """What a transform made is sent as it is."""
    request = make_request(PLAIN, NOTICE, b'{"mine":1}', SOURCE, NOW)
    assert request.body == b'{"mine":1}'
    assert Webhook(SECRET).verify(request.body, dict(request.headers)) == {"mine": 1}


def test_a_structured_cloud_event() -> None:
    """The independent SDK reads the event from the body, and it is signed too."""
    request = make_request(replace(PLAIN, format=STRUCTURED), NOTICE, None, SOURCE, NOW)
    event = from_http(dict(request.headers), request.body)
    assert (event["id"], event["type"], event["source"]) == ("0196-a", "order.created", SOURCE)
    assert event["time"] == "2026-01-02T03:04:05.678Z"
    assert event.get_data() == {"n": 1, "t": "ü"}
    Webhook(SECRET).verify(request.body, dict(request.headers))


def test_a_binary_cloud_event() -> None:
    """The independent SDK reads the attributes from headers and the data from the body."""
    request = make_request(replace(PLAIN, format=BINARY), NOTICE, None, SOURCE, NOW)
    assert request.body == NOTICE.data
    event = from_http(dict(request.headers), request.body)
    assert (event["id"], event["type"], event["specversion"]) == ("0196-a", "order.created", "1.0")
    assert event.get_data() == {"n": 1, "t": "ü"}


def test_plandocket_gets_its_own_signature_too() -> None:
    """The dialect adds its headers and keeps the standard ones."""
    request = make_request(replace(PLAIN, dialect="plandocket"), NOTICE, None, SOURCE, NOW)
    assert request.headers["X-Webhook-Signature"].startswith("v1=")
    assert request.headers["X-Webhook-Timestamp"] == request.headers["webhook-timestamp"]
    Webhook(SECRET).verify(request.body, dict(request.headers))


def test_a_former_secret_counts_until_its_end() -> None:
    """While secrets are exchanged both sign; after that only the new one does."""
    former = new_secret()
    both = replace(PLAIN, secrets=[SigningSecret(SECRET), SigningSecret(former, NOW + timedelta(hours=1))])
    request = make_request(both, NOTICE, None, SOURCE, NOW)
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    Webhook(former).verify(request.body, dict(request.headers))
    late = make_request(both, NOTICE, None, SOURCE, NOW + timedelta(hours=2))
    assert len(late.headers["webhook-signature"].split(" ")) == 1
