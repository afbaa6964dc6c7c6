"""Repeated requests: executed once, answered like the first."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bpm.testing import Clock, RunningApp, running_app
from router.tables.deduplication import DEDUPLICATION_WINDOW
from tests.router.conftest import PROBES, noting, rows, runs, send_from, settled, stored, until

pytestmark = pytest.mark.anyio


REPEATED: list[tuple[str, Any, Any]] = [
    ("header:webhook-id", ("", {}, {"webhook-id": "1"}), ("", {}, {"webhook-id": "2"})),
    ("query:id", ("?id=1", {}, {}), ("?id=2", {}, {})),
    ("body:event-id", ("", {"event-id": "1"}, {}), ("", {"event-id": "2"}, {})),
    ("body:[].rrr", ("", [{"rrr": "1"}, {"rrr": "2"}], {}), ("", [{"rrr": "1"}, {"rrr": "3"}], {})),
]


@pytest.mark.parametrize(("place", "first", "second"), REPEATED)
async def test_the_same_id_is_the_same_request(app: RunningApp, place: str, first: Any, second: Any) -> None:
    """A repeated id is answered with the first request's id and not executed; another id is."""
    key = f"same-{place.partition(':')[0]}-{len(place)}"
    await noting(app, key, deduplication=place)
    answers = [await app.hook(f"{key}{query}", body, headers) for query, body, headers in (first, first, second)]
    ids = [answer.data["requestId"] for answer in answers]
    assert ids[0] == ids[1] != ids[2]
    assert {answer.status for answer in answers} == {200}
    kept = await until(app, key, "done", "done", "duplicate")
    assert [request["duplicateOf"] for request in kept] == [None, ids[0], None]
    assert await runs(app, key) == 2


UNNAMED: list[Any] = [[], [{}], [{"rrr": "1"}, {"rrr": None}], "text"]


async def test_a_request_without_an_id_is_never_a_repetition(app: RunningApp) -> None:
    """Where the id is missing, were it in one element only, every request counts."""
    await noting(app, "no-id", deduplication="body:[].rrr")
    for _ in range(2):
        for body in UNNAMED:
            assert (await app.hook("no-id", body)).status == 200
    await until(app, "no-id", *["done"] * 8)


async def test_rules_do_not_share_ids(app: RunningApp) -> None:
    """The same id sent to another rule is another request."""
    for key in ("ids-one", "ids-other"):
        await noting(app, key, deduplication="body:id")
        await app.hook(key, {"id": 1})
        await until(app, key, "done")


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_of_fifty_at_once_one_is_executed(app: RunningApp, mode: str) -> None:
    """However many come at the same moment, the unique index lets one through and all are answered like it."""
    key = f"fifty-{mode}"
    await noting(app, key, deduplication="body:id", responseMode=mode)
    peers = [f"198.51.100.{n}" for n in range(50)]
    answers = await asyncio.gather(*(send_from(app, peer, key, json={"id": 1}) for peer in peers))
    assert {answer.status for answer in answers} == {200}
    assert len({str(answer.body) for answer in answers}) == 1
    await until(app, key, "done", *["duplicate"] * 49)
    assert await runs(app, key) == 1


async def test_of_fifty_at_once_one_effect_begins(app: RunningApp) -> None:
    """While an effect is under way its repetitions wait for its answer, and do not begin it again."""
    fields = {"commandName": "DawdleCommand", "parameters": {"event": "fifty-effect", "seconds": 0.1}}
    await app.rule("fifty-effect", **fields, deduplication="body:id", responseMode="sync")
    answers = await asyncio.gather(*(app.hook("fifty-effect", {"id": 1}) for _ in range(50)))
    assert {answer.message for answer in answers if answer.status == 200} <= {"Done at last"}
    assert {answer.status for answer in answers} <= {200, 202}  # 202 where the machine is slower than the time limit
    await settled(app, "fifty-effect")
    assert await runs(app, "fifty-effect") == 1


async def test_a_prescribed_answer_is_given_again(app: RunningApp) -> None:
    """Status, type and body of the first answer are kept for its repetitions; another body has its own answer here.

    Nothing verifies the rule, so whoever names the id of somebody's request is not told what that one was.
    """
    response = {"status": 201, "contentType": "text/x-reply", "body": "Ok {{payload.name}}"}
    for mode in ("async", "sync"):
        await noting(app, f"again-{mode}", deduplication="body:id", responseMode=mode, response=response)
        for name in ("Ada", "Ada", "Grace"):
            answer = await app.hook(f"again-{mode}", {"id": 1, "name": name})
            assert (answer.status, answer.headers["content-type"], answer.body) == (201, "text/x-reply", f"Ok {name}")
        assert [request["state"] for request in await stored(app, f"again-{mode}")].count("duplicate") == 2


async def test_what_failed_at_once_may_be_sent_again(app: RunningApp) -> None:
    """A provider that was told of a failure sends the same id again, and is then served; but only once."""
    fields = {"commandName": "StumbleCommand", "parameters": {"event": "mended", "times": 1}}
    await app.rule("mended", **fields, deduplication="body:id", responseMode="sync")
    answers = [await app.hook("mended", {"id": 1}) for _ in range(3)]
    assert [answer.status for answer in answers] == [422, 200, 200]
    assert [request["state"] for request in await stored(app, "mended")] == ["failed", "done", "duplicate"]
    assert await runs(app, "mended") == 1


async def test_a_repetition_is_noted_without_its_body(app: RunningApp) -> None:
    """The note of a repetition says which request it repeats, and holds no second copy of the body."""
    await noting(app, "noted", deduplication="body:id")
    for _ in range(2):
        await app.hook("noted", {"id": "x"})
    first, second = await rows(app, config_key="noted")
    assert (first.dedupe_key, second.dedupe_key) == (f"{first.config_id}:x", None)
    assert (second.cause, second.duplicate_of, second.body) == ("duplicate", first.request_id, b"")


async def test_an_id_is_known_for_seven_days() -> None:
    """Within the window an id is a repetition, after it a new request; both ways of executing agree."""
    clock = Clock()
    async with running_app(clock=clock, command_packages=(PROBES,), access_token_seconds=30 * 86400) as app:
        for mode in ("async", "sync"):
            await noting(app, mode, deduplication="body:id", responseMode=mode)
        for moment, expected in ((timedelta(), 1), (DEDUPLICATION_WINDOW, 1), (timedelta(seconds=1), 2)):
            clock.advance(moment)
            for mode in ("async", "sync"):
                assert (await app.hook(mode, {"id": 1})).status == 200
                await app.settled()
                assert await runs(app, mode) == expected, (moment, mode)
