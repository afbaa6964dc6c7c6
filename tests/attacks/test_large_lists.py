"""Lists of large rows: a page has a bound in bytes, and its rest can be asked for."""

import json
from typing import Any

import pytest

from bpm.bus.paging import MAX_PAGE_BYTES
from bpm.testing import RunningApp, running_app
from tests.attacks.people import END, START, WAIT, bpmn

LARGE = "x" * 1_000_000
"""Nearly as much as a command may bring."""
ROOM = MAX_PAGE_BYTES + len(LARGE)
"""As long as an answer may be: its last row may be cut by nothing but the next one."""


@pytest.fixture
async def app() -> Any:
    """An application of its own: its lists are large."""
    async with running_app() as running:
        yield running


async def every_item(app: RunningApp, query: str, **fields: Any) -> tuple[list[Any], int]:
    """Read one page to its end, however often it is cut; return its items and in how many answers they came."""
    items: list[Any] = []
    answers, left = 0, 1
    while left:
        page = await app.cmd(query, **fields, skip=len(items))
        assert len(json.dumps(page)) < ROOM
        assert page["items"], "a page that is cut has one row at least"
        items += page["items"]
        answers, left = answers + 1, page["leftOut"]
    return items, answers


async def test_a_list_of_large_events_is_cut(app: RunningApp) -> None:
    """Nobody makes the server read and answer 200 events of a megabyte; the rest of the page is not lost."""
    for number in range(12):
        await app.cmd("PublishEventCommand", event="large", data={"n": number, "text": LARGE})
    await app.cmd("PublishEventCommand", event="large", data={"n": 12})
    items, answers = await every_item(app, "GetEventListQuery", pageSize=200, sortDirection="asc")
    assert [item["data"]["n"] for item in items] == list(range(13))
    assert answers == 2
    second, _ = await every_item(app, "GetEventListQuery", pageSize=5, pageNumber=2, sortDirection="asc")
    assert [item["data"]["n"] for item in second] == list(range(5, 10))


async def test_revisions_of_a_large_rule_are_cut(app: RunningApp) -> None:
    """Each revision holds the whole rule."""
    step = {"commandName": "PublishEventCommand", "parameters": {"event": "e", "data": {"text": LARGE[:60_000]}}}
    rule = {"executionType": 1, "commandChain": [step] * 15}
    saved = await app.rule("large", **rule)
    for number in range(10):
        fields = {"id": saved["id"], "path": "large", "isEnabled": True, "action": "POST", "description": str(number)}
        await app.cmd("UpdateWebHookConfigCommand", **fields, **rule)
    items, answers = await every_item(app, "GetWebHookConfigHistoryQuery", id=saved["id"], pageSize=200)
    assert len(items) == 11
    assert answers == 2


async def test_a_history_of_large_values_is_cut(app: RunningApp) -> None:
    """A history shows the values that its elements were given."""
    xml = bpmn("large", START, WAIT, END)
    await app.cmd("CreateProcessDefinitionCommand", name="large", bpmnXml=xml)
    started = await app.cmd("StartProcessInstanceCommand", processKey="large", variables={})
    instance_id = started["instanceId"]
    for number in range(10):
        fields = {"instanceId": instance_id, "variables": {"text": LARGE + str(number)}}
        await app.cmd("SetProcessVariablesCommand", **fields)
    whole = await app.cmd("GetProcessInstanceHistoryQuery", instanceId=instance_id)
    items, _ = await every_item(app, "GetProcessInstanceHistoryQuery", instanceId=instance_id, pageSize=1000)
    assert len(items) == whole["totalCount"]


async def test_a_list_of_small_rows_is_whole(app: RunningApp) -> None:
    """What is small is never cut, and a `skip` beyond the page answers nothing."""
    for number in range(25):
        await app.cmd("PublishEventCommand", event="small", data={"n": number})
    page = await app.cmd("GetEventListQuery", pageSize=200)
    assert (len(page["items"]), page["leftOut"], page["totalCount"]) == (25, 0, 25)
    page = await app.cmd("GetEventListQuery", pageSize=20, pageNumber=2, skip=5)
    assert (page["items"], page["leftOut"]) == ([], 0)
