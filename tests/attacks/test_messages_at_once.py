"""A message that comes at the moment in which somebody begins to wait for it, through another server process."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bpm.testing import RunningApp
from tests.attacks.pair import Pair
from tests.attacks.people import END, START, deploy

pytestmark = pytest.mark.anyio

WAIT = '<intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
GO: dict[str, Any] = {"messageName": "go", "variables": {"n": 1}, "timeToLiveSeconds": 3_600}
STATUS = "SELECT count(*) FROM process_instance WHERE status = 'COMPLETED'"
KEPT = "SELECT count(*) FROM buffered_message"


def starting(app: RunningApp, id_: int) -> Callable[[], Awaitable[Any]]:
    return lambda: app.cmd("StartProcessInstanceCommand", processDefinitionId=id_)


def telling(app: RunningApp) -> Callable[[], Awaitable[Any]]:
    return lambda: app.cmd("CorrelateMessageCommand", **GO)


async def count(app: RunningApp, statement: str) -> int:
    return await app.app.database.read(lambda tx: tx.connection.exec_driver_sql(statement).scalar() or 0)


@pytest.mark.parametrize("is_first", [True, False])
async def test_it_is_not_kept_while_somebody_waits(pair: Pair, is_first: bool) -> None:
    """It was kept for somebody who came to wait, and the instance that waited already was never told."""
    id_ = await deploy(pair.one, "waits", START, WAIT, END)
    if is_first:
        await pair.at_once(telling(pair.one), starting(pair.other, id_))
    else:
        await pair.at_once(starting(pair.one, id_), telling(pair.other))
    assert (await count(pair.one, STATUS), await count(pair.one, KEPT)) == (1, 0)


async def test_of_two_who_begin_to_wait_one_is_told(pair: Pair) -> None:
    """One message, two instances: it is taken once."""
    id_ = await deploy(pair.one, "waits", START, WAIT, END)
    assert (await telling(pair.one)())["outcome"] == "buffered"
    await pair.at_once(starting(pair.one, id_), starting(pair.other, id_))
    assert (await count(pair.one, STATUS), await count(pair.one, KEPT)) == (1, 0)


async def test_of_two_messages_for_one_who_waits_one_is_kept(pair: Pair) -> None:
    """Neither is lost: the second is there for whoever comes next."""
    id_ = await deploy(pair.one, "waits", START, WAIT, END)
    await starting(pair.one, id_)()
    await pair.at_once(telling(pair.one), telling(pair.other))
    assert (await count(pair.one, STATUS), await count(pair.one, KEPT)) == (1, 1)
