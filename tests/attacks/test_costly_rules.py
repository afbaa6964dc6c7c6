"""Rules and chains that are more than is compiled, kept and sent in a moment: refused when they are saved or sent."""

import threading
import time
from typing import Any

import pytest

from bpm.client import ServerRefused
from bpm.expressions import ExpressionError, compile_template
from bpm.testing import RunningApp, running_app
from tests.attacks.people import person
from tests.effort import effort_below

pytestmark = pytest.mark.anyio

EXPRESSIONS = ["{{payload.a}}"] * 4_000
"""As many as a template had room for."""


@pytest.fixture(scope="module")
async def app(anyio_backend: str) -> Any:
    """One running application."""
    async with running_app(worker=False) as running:
        yield running


def steps(number: int, data: Any) -> list[dict[str, Any]]:
    """Write a chain's steps that all have the same parameters."""
    step = {"commandName": "PublishEventCommand", "onError": "continue", "parameters": {"event": "a.b", "data": data}}
    return [{**step, "name": f"s{at}"} for at in range(number)]


async def test_nobody_keeps_the_writer_with_a_chain(app: RunningApp) -> None:
    """Its templates are compiled in its transaction: a viewer's one request held everybody's for ten seconds."""
    viewer = await person(app, "idle", "viewer")
    asking = [{**step, "commandName": "PingQuery"} for step in steps(14, EXPRESSIONS)]
    with effort_below(5):
        answer = await viewer.client.send("ExecuteCommandChainCommand", {"steps": asking, "payload": {"a": 1}})
    assert answer.status == 422
    assert "the chain holds 56000 expressions; at most 1000 are possible" in answer.errors


END = {"commandName": "EndSessionCommand", "name": "end", "onError": "continue", "parameters": {"id": 999}}
"""A command that everybody may send."""


@pytest.mark.parametrize("first", [[], [END]], ids=["alone", "beside a command"])
async def test_a_chain_of_queries_leaves_the_writer_to_others(app: RunningApp, first: list[Any]) -> None:
    """Fifty lists in five kilobytes, which a viewer may ask for, held it for ten seconds."""
    viewer = await person(app, f"curious{len(first)}", "viewer")
    *_, writer = [thread for thread in threading.enumerate() if thread.name == "bpm-writer"]  # other tests have some
    clock = time.pthread_getcpuclockid(writer.ident or 0)
    asking = first + [{"commandName": "GetAsyncApiQuery", "name": f"s{at}"} for at in range(20)]
    mine, all_ = time.clock_gettime(clock), time.process_time()
    answer = await viewer.client.send("ExecuteCommandChainCommand", {"steps": asking})
    share = (time.clock_gettime(clock) - mine) / (time.process_time() - all_)
    assert answer.status == 200
    assert [step["status"] for step in answer.data["steps"]] == [*(["failed"] * len(first)), *(["done"] * 20)]
    assert share < 0.2


async def test_a_rule_that_asks_leaves_the_writer_to_others(app: RunningApp) -> None:
    """Each request of a stranger held it for as long as the query takes; now it writes what is kept of the answer."""
    rule = {"commandName": "GetAsyncApiQuery", "responseMode": "sync", "allowableIPs": "127.0.0.1"}
    await app.rule("asks", **rule)
    *_, writer = [thread for thread in threading.enumerate() if thread.name == "bpm-writer"]  # other tests have some
    clock = time.pthread_getcpuclockid(writer.ident or 0)
    mine, all_ = time.clock_gettime(clock), time.process_time()
    statuses = {(await app.hook("asks", {})).status for _ in range(10)}
    share = (time.clock_gettime(clock) - mine) / (time.process_time() - all_)
    assert statuses == {200}
    assert share < 0.65
    assert {request["state"] for request in await app.requests()} == {"done"}


async def test_queries_of_a_chain_answer_no_more_than_a_page_may(app: RunningApp) -> None:
    """Each of fifty might answer eight megabytes, all of them in memory at once."""
    asking = [{"commandName": "GetCommandCatalogQuery", "name": f"s{at}"} for at in range(15)]
    answer = await app.send("ExecuteCommandChainCommand", {"steps": asking})
    assert answer.status == 422
    assert "what the chain's queries answer takes more than 8388608 bytes" in " ".join(answer.errors)


@pytest.mark.parametrize(
    ("number", "data", "sentence"),
    [
        (2, {"a": ["{{payload.a}}"] * 501}, "holds 1002 expressions; at most 1000"),
        (3, {"a": [1.5] * 4_000}, "at most 10000 are possible"),
    ],
)
async def test_a_rule_is_no_larger_than_what_is_compiled_at_once(
    app: RunningApp, number: int, data: Any, sentence: str
) -> None:
    """Its first request compiled it while everybody waited; fifty of them took a gigabyte of memory."""
    with pytest.raises(ServerRefused, match=sentence):
        await app.rule("large", executionType=1, commandChain=steps(number, data))


async def test_a_rule_of_the_largest_size_is_saved(app: RunningApp) -> None:
    """A thousand expressions are more than anybody writes."""
    await app.rule("thousand", executionType=1, commandChain=steps(2, {"a": ["{{payload.a}}"] * 500}))


def test_a_template_has_a_thousand_expressions() -> None:
    """It is compiled where others wait, also that of a subscription and of a process."""
    compile_template(["{{a}}"] * 1_000)
    with effort_below(0.5), pytest.raises(ExpressionError, match="more than 1000 expressions"):
        compile_template("{{a}} " * 10_000)
