"""Processes that deploy processes: what their start timers begin is counted to the cause that set them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bpm.testing import RunningApp, running_app, until
from tests.attacks.people import END, bpmn

pytestmark = pytest.mark.anyio

MOST = 8
AT_ONCE = (
    '<startEvent id="s"><timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition></startEvent>'
)
IN_AN_HOUR = AT_ONCE.replace("PT1S", "PT1H")
COPY = """<scriptTask id="x" scriptFormat="python"><script>
key = "twin"
known = [each for each in send("GetProcessDefinitionListQuery", {"pageSize": 200})["items"] if each["key"] == key]
xml = send("GetProcessDefinitionByIdQuery", {"id": known[0]["id"]})["bpmnXml"]
for letter in "ab":
    send("CreateProcessDefinitionCommand", {"name": key + letter, "bpmnXml": xml.replace(key, key + letter)})
</script></scriptTask>"""
GOING_ON = text("""
    SELECT (SELECT count(*) FROM process_schedule) + (SELECT count(*) FROM process_instance WHERE ended_at IS NULL)
""")
DUE = text("SELECT execute_after FROM pgqueuer WHERE entrypoint = 'process-start'")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """An application in which a cause begins few instances."""
    async with running_app(tmp_path, processes={"max_caused_instances": MOST}) as running:
        yield running


async def keys(app: RunningApp) -> list[str]:
    """Return the keys of all processes."""
    return [each["key"] for each in (await app.cmd("GetProcessDefinitionListQuery", pageSize=200))["items"]]


async def rests(app: RunningApp) -> bool:
    """Tell whether nothing runs and no start timer is set any more."""
    return await app.app.database.read(lambda tx: tx.connection.execute(GOING_ON).scalar()) == 0


async def test_a_process_that_deploys_two_of_itself_ends(app: RunningApp) -> None:
    """Each began by a timer, as a cause of its own: there were twice as many every second, without end."""
    await app.cmd("CreateProcessDefinitionCommand", name="twin", bpmnXml=bpmn("twin", AT_ONCE, COPY, END))
    await until(lambda: rests(app), seconds=60)
    assert 3 <= len(await keys(app)) <= 2 * MOST


async def test_a_timer_that_is_set_anew_waits_as_long_as_it_says(tmp_path: Path) -> None:
    """A process that was switched off and on began at the time of the timer before."""
    async with running_app(tmp_path, worker=False) as app:
        made = await app.cmd("CreateProcessDefinitionCommand", name="late", bpmnXml=bpmn("late", IN_AN_HOUR, END))
        first = await _due(app)
        await app.cmd("DeactivateProcessDefinitionCommand", id=made["id"])
        await app.cmd("ActivateProcessDefinitionCommand", id=made["id"])
        assert await _due(app) > first


async def _due(app: RunningApp) -> Any:
    """Return when the one start timer's job is due."""
    return await app.app.database.read(lambda tx: tx.connection.execute(DUE).scalar_one())
