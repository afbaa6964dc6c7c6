"""Processes that were deployed before their author's name and permissions were kept go on after an upgrade."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import bpmn, instances

pytestmark = pytest.mark.anyio

TASK = (
    'start s; user t; service w: PublishEventCommand; end e\ns -> t -> w -> e\nw << event = "paid"\nw << data = {n: 1}'
)
FORGET = "UPDATE deployed_process SET author_id = ?, author_name = '', permissions = '[]', authority = NULL"


@asynccontextmanager
async def upgraded(folder: Path, author: str = "user:1") -> AsyncGenerator[tuple[RunningApp, int]]:
    """An application with an instance whose version is as migration 0009 left it, and the instance's id."""
    async with running_app(folder) as app:
        await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=bpmn(TASK), triggerEvents=["go"])
        begun = await app.cmd("StartProcessInstanceCommand", processKey="p")
    with closing(sqlite3.connect(folder / "bpm.db")) as connection, connection:
        connection.execute(
            "UPDATE deployed_process SET author_id = ?, author_name = '', permissions = '[]', authority = NULL",
            (author,),
        )
    async with running_app(folder) as app:
        yield app, begun["instanceId"]


async def finish(app: RunningApp, instance_id: int) -> None:
    (task,) = (await app.cmd("GetUserTaskListQuery", instanceId=instance_id))["items"]
    await app.cmd("CompleteUserTaskCommand", instanceId=instance_id, waitId=task["waitId"])


async def test_its_author_is_asked_what_they_may_do_now(tmp_path: Path) -> None:
    """No limit of then is known; its steps were refused everything."""
    async with upgraded(tmp_path) as (app, begun):
        await finish(app, begun)
        await instances(app, "p", 1)


async def test_what_begins_by_itself_acts_for_that_author_too(tmp_path: Path) -> None:
    """As its version does."""
    async with upgraded(tmp_path) as (app, begun):
        await app.cmd("PublishEventCommand", event="go", data={})
        other = next(row for row in await instances(app, "p", 2, "WAITING") if row["instanceId"] != begun)
        await finish(app, other["instanceId"])
        await instances(app, "p", 1)


async def test_an_author_who_is_gone_may_do_nothing(tmp_path: Path) -> None:
    """As with a version of today."""
    async with upgraded(tmp_path, "user:99") as (app, begun):
        await finish(app, begun)
        (failed,) = await instances(app, "p", 1, "ERROR")
        assert failed["instanceId"] == begun
