"""`/metrics`: what Prometheus reads, and who may."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.metrics import Counter, Gauge, Histogram, exposition
from bpm.testing import RunningApp, running_app, until
from router.tables.requests import INBOUND

pytestmark = pytest.mark.anyio

SAMPLE = re.compile(r"^(bpm_\w+?)(?:\{(.*)\})? (\S+)$")


@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
async def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningApp]:
    """A server without a worker, so that what is accepted waits."""
    settings: dict[str, Any] = {"worker": False}
    if request.param == "postgres":
        settings["database_url"] = request.getfixturevalue("databases").migrated()
    async with running_app(tmp_path_factory.mktemp("metrics"), **settings) as running:
        await running.rule("hook", commandName="PingQuery")
        yield running


async def text_of(app: RunningApp) -> str:
    reply = await app.request("GET", "/metrics", headers={"Authorization": f"Bearer {app.token}"})
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return reply.body


async def samples(app: RunningApp) -> dict[str, float]:
    """Scrape, and return each sample's value by its name and labels."""
    found = [match for line in (await text_of(app)).splitlines() if (match := SAMPLE.match(line))]
    return {f"{match[1]}{{{match[2]}}}" if match[2] else match[1]: float(match[3]) for match in found}


async def test_what_is_due_and_not_begun_is_counted_with_its_age(app: RunningApp) -> None:
    """An alert asks for how long the oldest has been due, of whatever kind."""
    assert (await app.hook("hook", {})).ok

    async def is_old() -> bool:
        return (await samples(app)).get('bpm_queue_oldest_age_seconds{kind="inbound"}', 0) > 0

    await until(is_old)
    assert (await samples(app))['bpm_queue_depth{kind="inbound"}'] >= 1


async def test_messages_and_requests_are_counted(app: RunningApp) -> None:
    """By type, by outcome, by status: labels that nobody outside chooses."""
    before = await samples(app)
    await app.cmd("PingQuery")
    assert not (await app.hook("nobody-there", {})).ok
    after = await samples(app)
    for name in (
        'bpm_messages_total{type="PingQuery",outcome="done"}',
        'bpm_webhook_requests_total{status="4xx"}',
        "bpm_message_duration_seconds_count",
    ):
        assert after[name] == before.get(name, 0) + 1, name


async def test_what_is_given_up_is_counted(app: RunningApp) -> None:
    """Requests, deliveries and messages, each by its state."""
    before = (await samples(app))['bpm_dead_letters{kind="request"}']
    accepted = await app.hook("hook", {})
    given_up = INBOUND.update().where(INBOUND.c.request_id == accepted.headers["x-request-id"]).values(state="dead")
    await app.app.database.write(lambda tx: tx.connection.execute(given_up))
    assert (await samples(app))['bpm_dead_letters{kind="request"}'] == before + 1


async def test_only_accounts_of_the_installation_may_read_it(app: RunningApp) -> None:
    """What the figures tell is nobody else's business."""
    stranger = await app.http.get("/metrics")
    assert stranger.status_code == 401
    key = await app.cmd("CreateApiKeyCommand", name="scraper", scopes=["inbound:read"])
    refused = await app.http.get("/metrics", headers={"Authorization": f"Bearer {key['key']}"})
    assert (refused.status_code, "system:read" in refused.text) == (403, True)


async def test_promtool_finds_nothing_to_say(app: RunningApp) -> None:
    """Names, kinds and units are as Prometheus wants them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    text = await text_of(app)
    command = [promtool, "check", "metrics"]
    checked = await asyncio.to_thread(subprocess.run, command, input=text.encode(), capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")


def test_values_and_labels_are_written_as_prometheus_reads_them() -> None:
    """Also those with quotes, and buckets add up."""
    counter = Counter("c_total", "Counts.", "name")
    counter.add('a"b\\\n', by=2)
    histogram = Histogram("h_seconds", "Takes.", (0.5, 1))
    for value in (0.1, 0.5, 0.7, 3):
        histogram.observe(value)
    shown = exposition([counter, histogram, Gauge("g", "Stands.", None)])
    assert shown.splitlines() == [
        "# HELP c_total Counts.",
        "# TYPE c_total counter",
        'c_total{name="a\\"b\\\\\\n"} 2',
        "# HELP h_seconds Takes.",
        "# TYPE h_seconds histogram",
        'h_seconds_bucket{le="0.5"} 2',
        'h_seconds_bucket{le="1"} 3',
        'h_seconds_bucket{le="+Inf"} 4',
        "h_seconds_sum 4.3",
        "h_seconds_count 4",
        "# HELP g Stands.",
        "# TYPE g gauge",
    ]
