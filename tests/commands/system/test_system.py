"""The product tells about itself: signs of life, the catalogue, the status."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bpm.bus import Bus, Envelope, Registry
from bpm.clock import system_clock
from bpm.errors import Forbidden, NotFound
from bpm.jobs.factory import open_jobs
from bpm.security.permissions import SYSTEM
from bpm.security.secrets import SecretBox
from bpm.settings import QuarantineSettings, Settings
from bpm.store import Database, Transaction
from commands.system.catalogue import GetCommandCatalogQuery, list_catalogue
from commands.system.ping import PingQuery, ping
from commands.system.status import GetSystemStatusQuery, report_status
from router.quota import Quota
from router.tables.requests import INBOUND

pytestmark = pytest.mark.anyio

STATES = ("pending", "running", "failed", "dead", "quarantined")
GUEST = replace(SYSTEM, id="u1", name="Guest", permissions=frozenset[str]())


class Status:
    """What the composition root reports."""

    def report(self, tx: Transaction) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "uptime_seconds": 12.5,
            "draining": False,
            "writer_waiting": 3,
            "jobs_waiting": 2,
            "jobs_running": 1,
            "webhooks": 7,
            "sandbox_locks": {"seccomp": True, "network": "own namespace"},
            "endpoints_off": {"remita": "set BPM_REMITA__ALLOWED_IPS"},
        }


@pytest.fixture
async def bus(database: Database, settings: Settings) -> Bus:
    registry = Registry()
    for handler in (list_catalogue, ping, report_status):
        registry.add(handler, "system")
    registry.bind(registry, Status(), Quota(QuarantineSettings()))
    return Bus(registry, database, open_jobs(database, settings, system_clock), SecretBox(b"k" * 32))


async def test_ping_answers_anybody_who_is_known(bus: Bus) -> None:
    """A ping says the time and under which name the caller is known, without any permission."""
    pong = await bus.send(PingQuery(), GUEST)
    assert pong.pong
    assert pong.principal == "Guest"
    assert abs((pong.time - bus.now()).total_seconds()) < 10


async def test_the_catalogue_lists_every_message(bus: Bus) -> None:
    """Every registered message is listed by name with kind, area, permission and description."""
    catalogue = await bus.send(GetCommandCatalogQuery(), GUEST)
    assert [item.type for item in catalogue.items] == ["GetCommandCatalogQuery", "GetSystemStatusQuery", "PingQuery"]
    assert catalogue.total_count == 3
    status = catalogue.items[1]
    assert (status.kind, status.area, status.permission) == ("query", "system", "system:read")
    assert status.description.startswith("Say how this process is doing")


async def test_the_schemas_of_the_catalogue_stand_alone(bus: Bus) -> None:
    """A client can check a request and a result with the catalogue's schemas and nothing else."""
    outcome = await bus.execute(Envelope(GetCommandCatalogQuery(name="GetCommandCatalogQuery"), GUEST))
    result = bus.registry.plain(GetCommandCatalogQuery(), outcome.data)
    entry = result["items"][0]
    Draft202012Validator.check_schema(entry["request"])
    Draft202012Validator(entry["result"]).validate(result)
    request = Draft202012Validator(entry["request"])
    assert request.is_valid({"$type": "GetCommandCatalogQuery", "area": "system"})
    assert not request.is_valid({"$type": "PingQuery"})
    assert not request.is_valid({"$type": "GetCommandCatalogQuery", "unknown": 1})


async def test_the_catalogue_can_be_narrowed(bus: Bus) -> None:
    """One name, in any form that the bus accepts, or one area is enough to ask for."""
    one = await bus.send(GetCommandCatalogQuery(name="App.Commands.PingQuery, App"), GUEST)
    assert [item.type for item in one.items] == ["PingQuery"]
    area = await bus.send(GetCommandCatalogQuery(area="system"), GUEST)
    assert area.total_count == 3


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (GetCommandCatalogQuery(name="PingQuary"), "did you mean PingQuery"),
        (GetCommandCatalogQuery(area="nowhere"), "no area is named 'nowhere'"),
    ],
)
async def test_what_is_not_in_the_catalogue_is_not_found(
    bus: Bus, query: GetCommandCatalogQuery, sentence: str
) -> None:
    """An unknown name or area is refused with a sentence that helps."""
    with pytest.raises(NotFound, match=sentence):
        await bus.send(query, GUEST)


async def test_the_status_is_what_the_parts_report(bus: Bus) -> None:
    """The status shows version, uptime, waiting work, locks, and which endpoints are off and why."""
    status = await bus.send(GetSystemStatusQuery(), SYSTEM)
    assert bus.registry.plain(GetSystemStatusQuery(), status) == {
        "version": "0.1.0",
        "uptimeSeconds": 12.5,
        "draining": False,
        "writerWaiting": 3,
        "jobsWaiting": 2,
        "jobsRunning": 1,
        "workers": None,
        "webhooks": 7,
        "inbound": {
            **dict.fromkeys(STATES, 0),
            "oldestWaitingSeconds": None,
            "medianSeconds": None,
            "p95Seconds": None,
        },
        "refused": {
            "requests": 0,
            "requestsPerDay": 10_000,
            "bytes": 0,
            "bytesPerDay": 64 * 1024 * 1024,
            "notKept": 0,
        },
        "retention": [],
        "sandboxLocks": {"seccomp": True, "network": "own namespace"},
        "endpointsOff": {"remita": "set BPM_REMITA__ALLOWED_IPS"},
    }


async def test_the_status_counts_requests_by_state(bus: Bus) -> None:
    """Requests are counted state by state up to a bound, with the age of the oldest that waits."""
    received = bus.now() - timedelta(minutes=5)
    common: dict[str, Any] = {
        "organization_id": 1,
        "method": "POST",
        "path": "p",
        "headers": {},
        "address": "127.0.0.1",
    }
    rows = [
        {**common, "request_id": f"{state}-{number}", "state": state, "received_at": received}
        for state, many in (("pending", 3), ("dead", 2), ("done", 4))
        for number in range(many)
    ]
    await bus.database.append(
        *((INBOUND, row) for row in rows), (INBOUND, {**rows[0], "request_id": "x", "organization_id": 2})
    )
    inbound = (await bus.send(GetSystemStatusQuery(), SYSTEM)).inbound
    assert [getattr(inbound, state) for state in STATES] == [3, 0, 0, 2, 0]
    assert 300 <= (inbound.oldest_waiting_seconds or 0) < 400


async def test_the_status_tells_how_long_the_latest_took(bus: Bus) -> None:
    """Half, and 95 of 100, of the latest hundred that were done; those that were driven again tell nothing."""
    row: dict[str, Any] = {"organization_id": 1, "method": "POST", "path": "p", "headers": {}, "address": "127.0.0.1"}

    def done(number: int, seconds: float, **more: Any) -> dict[str, Any]:
        received = bus.now() + timedelta(seconds=number)
        ended = received + timedelta(seconds=seconds)
        return {
            **row,
            "request_id": f"r{number}",
            "state": "done",
            "received_at": received,
            "completed_at": ended,
            **more,
        }

    older = [done(number, 1_000) for number in range(50)]
    latest = [done(50 + number, (number + 1) / 10) for number in range(98)]
    again = [done(150, 9_999, replay_count=1), done(151, 9_999, run=1)]
    await bus.database.append(*((INBOUND, each) for each in (*older, *latest, *again)))
    await bus.database.append((INBOUND, {**done(200, 5_000), "request_id": "of others", "organization_id": 2}))
    inbound = (await bus.send(GetSystemStatusQuery(), SYSTEM)).inbound
    assert (inbound.median_seconds, inbound.p95_seconds) == (4.9, 9.4)


async def test_the_status_needs_its_permission(bus: Bus) -> None:
    """Who may not read the system's state does not learn it."""
    with pytest.raises(Forbidden, match="system:read"):
        await bus.send(GetSystemStatusQuery(), GUEST)
