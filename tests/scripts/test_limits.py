"""Every limit stops a script where it says, and says which limit it was."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from scripts import Failure, Isolation, Limits, Run, Sandbox

pytestmark = pytest.mark.anyio


def failure_of(run: Run) -> Failure:
    """Return the failure of a run that must have failed."""
    assert run.failure is not None
    return run.failure


def test_a_limit_must_be_positive() -> None:
    """Limits of nothing are refused when they are made."""
    with pytest.raises(ValueError, match="wall_seconds must be greater than zero"):
        Limits(wall_seconds=0)


@pytest.mark.parametrize("isolation", ["run", "rule"])
async def test_processor_time_is_limited(sandbox: Sandbox, isolation: Isolation) -> None:
    """A script stops at its CPU limit, with the line it was on, also inside one call of C."""
    for code, lines in (("x = 1\nwhile True:\n    x = 1", {2, 3}), ("\nsum(range(10 ** 12))", {2})):
        run = await sandbox.run(code, {}, isolation=isolation)
        assert failure_of(run).reason == "cpu"
        assert "0.3 s of processor time" in failure_of(run).message
        assert failure_of(run).line in lines


async def test_a_reused_child_has_its_processor_time_anew_for_each_run(sandbox: Sandbox) -> None:
    """The CPU limit is of a run, not of the process that serves many."""
    used = 0.0
    while used < 2 * sandbox.limits.cpu_seconds:
        run = await sandbox.run("result = sum(range(3_000_000))", {}, isolation="rule")
        assert run.failure is None
        used += run.cpu_seconds


@pytest.mark.parametrize("isolation", ["run", "rule"])
async def test_memory_is_limited(sandbox: Sandbox, isolation: Isolation) -> None:
    """A script that asks for too much fails with the line, and the limit can be raised."""
    code = "\nx = 'a' * 200_000_000\nresult = len(x)"
    run = await sandbox.run(code, {}, isolation=isolation)
    assert (failure_of(run).reason, failure_of(run).line, failure_of(run).column) == ("memory", 2, 5)
    assert "128 MiB of memory" in failure_of(run).message
    more = await sandbox.run(code, {}, isolation=isolation, limits=Limits(memory_bytes=256 * 1024 * 1024))
    assert more.result == 200_000_000


async def test_the_wall_clock_stands_still_during_an_answer(sandbox: Sandbox) -> None:
    """Waiting for commands does not count as running, however long it takes together."""

    async def send(command: str, fields: dict[str, Any]) -> Any:
        await asyncio.sleep(0.3)
        return fields["n"]

    code = "result = [send('Slow', {'n': n}) for n in range(3)]"
    run = await sandbox.run(code, {}, send=send, limits=Limits(wall_seconds=0.4))
    assert run.result == [0, 1, 2]


async def test_an_answer_must_come_in_time(sandbox: Sandbox) -> None:
    """A command that is never answered ends the run, and its sending is cancelled."""
    cancelled = asyncio.Event()

    async def send(command: str, fields: dict[str, Any]) -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    run = await sandbox.run("send('Never')", {}, send=send, limits=Limits(answer_seconds=0.5))
    assert (failure_of(run).reason, failure_of(run).line) == ("wall", 1)
    assert "answer_seconds" in failure_of(run).message
    assert cancelled.is_set()


async def test_the_source_is_limited(sandbox: Sandbox) -> None:
    """A source that is too long or too deep is refused before it is compiled."""
    long = await sandbox.check("x = 1\n" * 20_000)
    deep = await sandbox.check("x = " + "-" * 150 + "1")
    wide = await sandbox.check("result = " + " + ".join(["1"] * 90))
    assert [problem.code for problem in long.problems + deep.problems] == ["too_large", "too_deep"]
    assert "source_depth" in deep.problems[0].message
    assert wide.problems == []


async def test_what_a_script_is_given_is_limited(sandbox: Sandbox) -> None:
    """A payload of a mebibyte passes; a larger one is a failure that names the limit."""
    fits = await sandbox.run("result = len(payload)", {"payload": "x" * 1024 * 1024})
    large = await sandbox.run("result = 1", {"payload": "x" * 1200 * 1024})
    assert fits.result == 1024 * 1024
    assert "input_bytes). The largest is payload with 1200 KiB." in failure_of(large).message
    variables = {"small": 1, "big": "x" * 1200 * 1024}
    large = await sandbox.run("result = 1", {"payload": {}, "variables": variables})
    assert "The largest is variables['big'] with 1200 KiB." in failure_of(large).message


async def test_a_request_has_room_of_its_own(sandbox: Sandbox) -> None:
    """A mebibyte of payload leaves room for the same body as text and in base64; beyond it the limit is named."""
    payload = "x" * 1024 * 1024
    body = {"body": payload, "bodyBase64": payload + "x" * 400_000}
    fits = await sandbox.run("result = len(request['bodyBase64'])", {"payload": payload, "request": body})
    large = await sandbox.run("result = 1", {"request": {"body": payload * 5}})
    assert fits.result == len(body["bodyBase64"])
    assert "request_bytes" in failure_of(large).message


async def test_the_result_is_limited(sandbox: Sandbox) -> None:
    """A result, reply or variable beyond the limit fails as output; just below it passes."""
    fits = await sandbox.run("result = 'x' * 1_000_000", {})
    assert len(fits.result) == 1_000_000
    for code in ("result = 'x' * 1_100_000", "reply(200, 'x' * 1_100_000)", "variables['x'] = ['y'] * 600_000"):
        run = await sandbox.run(code, {})
        assert failure_of(run).reason == "output"
        assert "1024 KiB" in failure_of(run).message


async def test_the_fields_of_a_command_are_limited(sandbox: Sandbox) -> None:
    """A command that is too large fails in the script that sends it."""
    run = await sandbox.run("send('A', {'x': 'y' * 1_100_000})", {})
    assert failure_of(run).message.startswith("ValueError: the fields of A take more than")


async def test_log_lines_are_limited_and_the_script_goes_on(sandbox: Sandbox) -> None:
    """Lines beyond the limit are dropped, a long line is cut at a character, and nothing fails."""
    many = await sandbox.run("for n in range(500):\n    log(n)\nresult = 'done'", {})
    long = await sandbox.run("log('ü' * 100_000)\nlog('never seen')\nresult = 'done'", {})
    assert (len(many.logs), many.logs[-1], many.result) == (200, "199", "done")
    assert (long.logs, long.result) == (["ü" * 32_768], "done")


async def test_commands_are_limited(sandbox: Sandbox) -> None:
    """The command after the last allowed one fails and says so."""

    async def send(command: str, fields: dict[str, Any]) -> Any:
        return None

    run = await sandbox.run("for n in range(9):\n    send('A', {'n': n})", {}, send=send, limits=Limits(sends=4))
    assert run.sends == 4
    assert "at most 4 commands" in failure_of(run).message


async def test_limits_of_a_run_do_not_change_those_of_others(sandbox: Sandbox) -> None:
    """A run that brings limits has a child of its own with just these."""
    code = "result = sum(range(25_000_000))"
    tight, loose = await asyncio.gather(
        sandbox.run(code, {}, limits=Limits(cpu_seconds=0.05)), sandbox.run(code, {}, limits=Limits(cpu_seconds=5))
    )
    assert failure_of(tight).reason == "cpu"
    assert loose.failure is None


async def test_inputs_that_cannot_be_given_are_refused(sandbox: Sandbox) -> None:
    """An unknown name or a value without a JSON form is the caller's mistake; text forms are made."""
    with pytest.raises(ValueError, match="no input named secret"):
        await sandbox.run("result = 1", {"secret": 1})
    with pytest.raises(TypeError, match="object cannot be given"):
        await sandbox.run("result = 1", {"payload": object()})
    run = await sandbox.run("result = payload", {"payload": {"amount": Decimal("1.50")}})
    assert run.result == {"amount": "1.50"}
