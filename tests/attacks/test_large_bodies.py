"""Large bodies: reading, checking and refusing them is not done where every other request waits."""

import gc
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from bpm.threads import INLINE_BYTES, beside_loop, size_of

FRACTIONS = json.dumps([1.25] * 120_000).encode()
OBJECTS = json.dumps([{"a": 1}] * 70_000).encode()
STATIC = {"scheme": "custom", "type": "static", "encoding": "text", "secret": "long-enough-for-all"}
PROOF = {**STATIC, "signatureIn": "body:proof"}
MOST = 0.4
"""Of the time that a request takes the processor, the event loop may have so much."""
MOST_OF_THE_WRITER = 0.65
"""Its data is written there, which is half of all that is done for it."""

MOST_OF_A_SCRIPT = 0.2
"""Nothing that is done with its payload is left to the loop: a twentieth, or more where threads change often."""


@pytest.fixture
async def app() -> Any:
    """An application of its own."""
    async with running_app() as running:
        yield running


async def share_of_the_loop(app: RunningApp, path: str, body: bytes, **headers: str) -> tuple[int, float]:
    """Send a request; return the answer's status and which part of the work was done in this thread, the loop's."""
    with without_collections():
        mine, all_ = time.thread_time(), time.process_time()
        answer = await app.request("POST", path, body, headers)
        return answer.status, (time.thread_time() - mine) / (time.process_time() - all_)


@contextmanager
def without_collections() -> Generator[None]:
    """Keep the collector from looking through all that the other tests have left in memory, in whichever thread."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("body", [FRACTIONS, OBJECTS], ids=["fractions", "objects"])
async def test_a_strangers_body_is_read_beside_the_loop(app: RunningApp, body: bytes) -> None:
    """A megabyte whose proof would stand in it is read before anything is known of its sender."""
    await app.rule("proven", commandName="PingQuery", signature=PROOF)
    status, share = await share_of_the_loop(app, "/api/webhooks/proven", body)
    assert status == 401
    assert share < MOST


async def test_a_body_that_is_refused_is_read_beside_the_loop(app: RunningApp) -> None:
    """What is wrong with a body is found only by reading it."""
    await app.rule("open", commandName="PingQuery")
    status, share = await share_of_the_loop(app, "/api/webhooks/open", FRACTIONS[:-1] + b",[]}")
    assert status == 400
    assert share < MOST


@pytest.mark.parametrize("fields", [{f"z{i}": 0 for i in range(60_000)}, {"data": {"v": [1.25] * 100_000}, "z": 0}])
async def test_fields_of_a_command_are_checked_beside_the_loop(app: RunningApp, fields: dict[str, Any]) -> None:
    """A refusal of sixty thousand fields costs more than the command would."""
    body = json.dumps({"$type": "PublishEventCommand", "event": "e", **fields}).encode()
    status, share = await share_of_the_loop(app, "/api/bpm/cmd", body, authorization=f"Bearer {app.token}")
    assert status == 422
    assert share < MOST


@pytest.mark.parametrize("code", ["0", "raise ValueError('no')"])
async def test_a_script_is_given_a_large_payload_beside_the_loop(app: RunningApp, code: str) -> None:
    """It is made ready to travel, and looked through when the script fails, so that no secret is repeated."""
    await app.rule("script", executionType=2, executionCode=code, responseMode="sync", allowableIPs="127.0.0.1")
    await app.hook("script", {})
    status, share = await share_of_the_loop(app, "/api/webhooks/script", FRACTIONS)
    assert status == (200 if code == "0" else 422)
    assert share < MOST_OF_A_SCRIPT


async def test_a_failed_effect_is_looked_through_beside_the_loop(app: RunningApp) -> None:
    """What it was given may stand in the sentence that says why."""
    fields = {"action": "retryIncidents", "selection": {}, "fields": {"v": [1.25] * 100_000}}
    body = json.dumps({"$type": "PlanBulkJobCommand", **fields}).encode()
    status, share = await share_of_the_loop(app, "/api/bpm/cmd", body, authorization=f"Bearer {app.token}")
    assert status == 422
    assert share < MOST_OF_A_SCRIPT


async def test_an_event_is_written_down_beside_the_writer(app: RunningApp) -> None:
    """What the audit log shows of it is ready before its transaction begins, and its data is written once there."""
    *_, writer = [thread for thread in threading.enumerate() if thread.name == "bpm-writer"]  # other tests have some
    clock = time.pthread_getcpuclockid(writer.ident or 0)
    fields = {"event": "e", "data": {"v": [1.25] * 100_000}}
    body = json.dumps({"$type": "PublishEventCommand", **fields}).encode()
    with without_collections():
        mine, all_ = time.clock_gettime(clock), time.process_time()
        answer = await app.request("POST", "/api/bpm/cmd", body, {"authorization": f"Bearer {app.token}"})
        share = (time.clock_gettime(clock) - mine) / (time.process_time() - all_)
    assert answer.status == 200
    assert share < MOST_OF_THE_WRITER
    (line,) = (await app.cmd("GetAuditLogQuery", pageSize=1, type="PublishEventCommand"))["items"]
    assert line["fields"]["data"]["v"][:2] == [1.25, 1.25]
    events = await app.cmd("GetEventListQuery", event="e")
    assert events["items"][0]["data"] == fields["data"]


async def test_a_small_body_is_read_at_once() -> None:
    """To hand it over would cost more than to read it."""
    thread = time.thread_time

    assert await beside_loop(INLINE_BYTES, lambda: thread, 1) is thread
    assert size_of({"a": ["b" * 100] * 10}) < INLINE_BYTES


@pytest.mark.parametrize(
    "value",
    [[0] * 5_000, {str(i): 0 for i in range(5_000)}, "x" * 40_000, [[["x" * 9_000] * 2] * 2], {"x" * 40_000: 1}],
)
def test_what_is_large_is_known_as_large(value: Any) -> None:
    """By its texts, its names or the number of its values, wherever they stand."""
    assert size_of({"a": [value]}) > INLINE_BYTES
