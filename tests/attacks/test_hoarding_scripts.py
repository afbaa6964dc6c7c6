"""What scripts make the server keep is bounded: compiled code, commands for the end, memory of the machine."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from scripts import Check, Limits, Sandbox
from scripts.server.compilations import MOST, MOST_BYTES, Compilations, Compiled
from scripts.shared.limits import MIB

pytestmark = pytest.mark.anyio

FOLDED = "\n".join(f'x = "{number:03d}"*1365' for number in range(240))
"""Less than four thousand characters that compile to a mebibyte of folded texts."""


async def test_short_sources_that_compile_to_much_code_are_not_all_kept(sandbox: Sandbox) -> None:
    """The code kept stays below its bound, however many sources are checked."""
    for number in range(70):
        assert not (await sandbox.check(f"{FOLDED}\nresult = {number}")).problems
    kept = sandbox.compilations
    assert MOST_BYTES - 2 * MIB < kept.bytes <= MOST_BYTES
    assert len(kept) < 70
    assert (await sandbox.run(f"{FOLDED}\nresult = 0", {})).result == 0


async def test_what_cannot_be_compiled_now_is_not_kept_and_what_waits_is_not_dropped() -> None:
    """The oldest that are done go first; an error is everybody's who waited, and nobody's afterwards."""
    compilations = Compilations()
    gate = asyncio.Event()

    async def done() -> Compiled:
        return Compiled(b"x", Check([], []))

    async def waits() -> Compiled:
        await gate.wait()
        return await done()

    async def fails() -> Compiled:
        raise OSError("not now")

    waiting = [asyncio.ensure_future(compilations.get(b"w%d" % number, waits)) for number in range(MOST + 5)]
    await asyncio.sleep(0)
    await compilations.get(b"done", done)
    assert len(compilations) == MOST + 5
    for _ in range(2):
        with pytest.raises(OSError, match="not now"):
            await compilations.get(b"fails", fails)
    gate.set()
    await asyncio.gather(*waiting)
    assert (len(compilations), compilations.bytes) == (MOST, MOST)


@pytest.mark.parametrize("at_end", [False, True])
async def test_the_fields_of_all_commands_of_a_run_are_bounded_together(sandbox: Sandbox, at_end: bool) -> None:
    """Beyond the limit a command is refused and nothing of it is kept; the script may go on."""
    taken: list[Any] = []

    async def send(command: str, fields: dict[str, Any]) -> None:
        taken.append(fields)

    code = (
        "refused = []\nfor n in range(30):\n    try:\n"
        f"        send('Keep', {{'a': 'x' * 900_000}}, at_end={at_end})\n"
        "    except CommandError as e:\n        refused.append(str(e))\nresult = refused"
    )
    run = await sandbox.run(code, {}, send=send, send_at_end=send, limits=Limits(cpu_seconds=3))
    assert run.failure is None
    assert len(taken) == run.sends == 9
    assert len(run.result) == 21
    assert all("sent_bytes" in words for words in run.result)


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="only Linux chooses by this number")
async def test_scripts_go_first_when_the_machine_runs_out_of_memory(sandbox: Sandbox) -> None:
    """The kernel ends the processes of scripts before the server's."""
    assert (await sandbox.run("result = 1", {})).result == 1
    assert [willingness(pid) for pid in zygotes()] == [1000] * len(zygotes())
    assert zygotes()


def willingness(pid: int) -> int:
    """Return how willingly the kernel would end a process, from -1000 to 1000."""
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def zygotes() -> list[int]:
    """Return the processes that this one has started to hold scripts."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"scripts.child.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()]
