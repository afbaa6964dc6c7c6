"""The sandbox starts, recovers and ends without leaving anything behind."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import until
from scripts import Limits, Run, Sandbox, SandboxUnavailable
from scripts.server import spares
from tests.scripts.open_sandboxes import CrowdedSandbox, OpenSandbox, UnfilteredSandbox

pytestmark = pytest.mark.anyio

WORD = "result = 'fine'"


def parents() -> dict[int, int]:
    """Return the parent of every process of the machine."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def offspring() -> set[int]:
    """Return the process ids of all living descendants of this process."""
    known, found = parents(), {os.getpid()}
    while more := {pid for pid, parent in known.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def descriptors() -> list[str]:
    """Return the open descriptors of this process."""
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def zygote_of(before: set[int]) -> int:
    """Return the process id of the zygote started since."""
    (zygote,) = {pid for pid, parent in parents().items() if parent == os.getpid()} - before
    return zygote


async def test_every_lock_is_reported() -> None:
    """Health shows each lock by name; on a current Linux all of them are on."""
    async with Sandbox() as sandbox:
        assert set(sandbox.locks) == {
            "user", "namespaces", "no_new_privileges", "landlock", "seccomp", "resource_limits", "cpu_timer",
        }  # fmt: skip
        assert sandbox.locks["seccomp"] is True


async def test_a_machine_without_a_process_for_a_script_is_no_failure_of_it() -> None:
    """It is said that none can be started, so that whoever runs the script tries again; the sandbox goes on."""
    async with CrowdedSandbox() as sandbox:
        ended = [await asyncio.gather(sandbox.run(WORD, {}), return_exceptions=True) for _ in range(12)]
    results = {run.result for (run,) in ended if isinstance(run, Run)}
    refused = {str(error).partition(":")[0] for (error,) in ended if isinstance(error, BaseException)}
    assert (results, refused) == ({"fine"}, {"No process can be started for the script just now"})


async def test_scripts_are_refused_where_they_cannot_be_confined() -> None:
    """Without system call filters the sandbox does not start, and says what to do."""
    sandbox = UnfilteredSandbox()
    with pytest.raises(SandboxUnavailable, match="allow_unconfined"):
        await sandbox.start()
    await sandbox.close()


async def test_scripts_run_unconfined_where_that_is_allowed() -> None:
    """With the setting scripts run with the locks there are, and the missing one is shown."""
    async with UnfilteredSandbox(allow_unconfined=True) as sandbox:
        assert sandbox.locks["seccomp"] is False
        assert (await sandbox.run(WORD, {})).result == "fine"
        stopped = await sandbox.run("while True:\n    pass", {}, limits=Limits(cpu_seconds=0.2))
        assert stopped.failure is not None
        assert stopped.failure.reason == "cpu"


async def test_a_cancelled_start_is_no_start() -> None:
    """A sandbox whose start was interrupted leaves no process and still refuses what it must refuse."""
    before = offspring()
    sandbox = UnfilteredSandbox()
    start = asyncio.create_task(sandbox.start())
    await asyncio.sleep(0.01)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    with pytest.raises(SandboxUnavailable, match="allow_unconfined"):
        await sandbox.run(WORD, {})
    await sandbox.close()
    assert offspring() - before == set()


async def test_a_zygote_that_cannot_start_is_told() -> None:
    """When the zygote dies at its start the reason is in the error."""

    class Broken(Sandbox):
        entry = "scripts.no_such_module"

    sandbox = Broken()
    with pytest.raises(SandboxUnavailable, match="No module named"):
        await sandbox.start()
    await sandbox.close()


async def test_nothing_is_left_after_closing() -> None:
    """Closing ends the zygote, spares, reused children and runs under way, and closes every descriptor."""
    processes, files = offspring(), descriptors()
    async with OpenSandbox() as sandbox:
        await sandbox.run(WORD, {}, isolation="rule")
        await sandbox.run("1 / 0", {})
        running = asyncio.create_task(sandbox.run("import os\nos.read(3, 1)", {}))
        await until(lambda: len(offspring() - processes) > 3)
    with pytest.raises(SandboxUnavailable, match="closed"):
        await running
    assert offspring() - processes == set()
    assert descriptors() == files
    with pytest.raises(SandboxUnavailable, match="closed"):
        await sandbox.run(WORD, {})


async def test_processes_are_kept_warm_only_while_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """At rest there is the zygote alone; runs of their own leave spares, which go when nobody asks."""
    monkeypatch.setattr(spares, "KEPT_SECONDS", 0.5)
    before = offspring()
    async with Sandbox() as sandbox:
        await asyncio.sleep(0.2)
        assert len(offspring() - before) == 1
        await asyncio.gather(*(sandbox.run(WORD, {}) for _ in range(3)))
        assert len(offspring() - before) > 1
        await until(lambda: len(offspring() - before) == 1)


async def test_descriptors_and_children_do_not_grow() -> None:
    """Many runs, good and bad, leave as many descriptors and children as before."""
    async with Sandbox(Limits(cpu_seconds=0.1)) as sandbox:
        await asyncio.gather(*(sandbox.run(WORD, {}) for _ in range(8)))
        await asyncio.sleep(0.3)
        files, processes = len(descriptors()), len(offspring())
        codes = [WORD, "1 / 0", "while True:\n    pass", "x = [0] * 10**9", "import os", "x = ("]
        await asyncio.gather(*(sandbox.run(code, {}) for code in codes * 8))
        await until(lambda: (len(descriptors()), len(offspring())) == (files, processes))


async def test_a_killed_zygote_is_replaced() -> None:
    """After the zygote dies the next run succeeds, without the dead one's spares and without its time limit."""
    before = offspring()
    async with Sandbox() as sandbox:
        for _ in range(2):
            assert (await sandbox.run(WORD, {})).result == "fine"
            os.kill(zygote_of(before), signal.SIGKILL)
            await asyncio.sleep(0.1)
            assert (await sandbox.run(WORD, {})).result == "fine"


async def test_a_stopped_zygote_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zygote that no longer answers is killed and replaced; no run waits for ever."""
    monkeypatch.setattr("scripts.server.remote_child.BURY_SECONDS", 0.5)
    before = offspring()
    async with Sandbox() as sandbox:
        assert (await sandbox.run(WORD, {}, isolation="rule")).result == "fine"
        os.kill(zygote_of(before), signal.SIGSTOP)
        run = await sandbox.run("while True:\n    pass", {}, isolation="rule", limits=Limits(cpu_seconds=0.2))
        assert run.failure is not None
        assert (await sandbox.run(WORD, {})).result == "fine"


async def test_a_run_whose_zygote_dies_is_run_again_unless_it_has_sent_something() -> None:
    """A run without effect starts anew; one that sent a command fails and is not repeated."""
    before = offspring()
    sent: list[str] = []

    async def send(command: str, fields: dict[str, Any]) -> None:
        sent.append(command)

    async with OpenSandbox() as sandbox:
        pure = asyncio.create_task(sandbox.run("import os\nos.read(3, 1) if payload else 1", {"payload": True},
                                               limits=Limits(wall_seconds=1)))  # fmt: skip
        effect = asyncio.create_task(sandbox.run("import os\nsend('A')\nos.read(3, 1)", {}, send=send))
        await asyncio.sleep(0.3)
        os.kill(zygote_of(before), signal.SIGKILL)
        again, failed = await pure, await effect
        assert again.failure is not None
        assert again.failure.reason == "wall"
        assert failed.failure is not None
        assert (failed.failure.reason, sent) == ("crashed", ["A"])
        assert "restarted" in failed.failure.message


async def test_an_error_of_the_bus_ends_the_run_and_reaches_the_caller() -> None:
    """What `send` raises besides a refusal is not the script's business: it is raised to the caller."""
    before = offspring()

    async def send(command: str, fields: dict[str, Any]) -> None:
        raise LookupError("the database is gone")

    async with Sandbox() as sandbox:
        with pytest.raises(LookupError, match="the database is gone"):
            await sandbox.run("try:\n    send('A')\nexcept Exception:\n    pass\nresult = 1", {}, send=send)
        assert (await sandbox.run(WORD, {})).result == "fine"
    assert offspring() - before == set()


async def test_a_cancelled_run_leaves_no_process() -> None:
    """Cancelling the caller ends the child."""
    before = offspring()
    async with OpenSandbox() as sandbox:
        started = asyncio.Event()
        pid: list[int] = []

        async def send(command: str, fields: dict[str, Any]) -> None:
            pid.append(fields["pid"])
            started.set()

        run = asyncio.create_task(
            sandbox.run("import os\nsend('A', {'pid': os.getpid()})\nwhile True:\n    pass", {}, send=send)
        )
        await started.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await until(lambda: pid[0] not in offspring())
        assert (await sandbox.run(WORD, {})).result == "fine"
    assert offspring() - before == set()


async def test_scripts_that_start_scripts_do_not_wait_for_one_another_for_ever() -> None:
    """A script that waits for an answer leaves its place to the script that makes it."""
    async with Sandbox() as sandbox:

        async def send(command: str, fields: dict[str, Any]) -> Any:
            return (await sandbox.run("return payload + 1", {"payload": fields["n"]})).result

        runs = await asyncio.gather(
            *(sandbox.run("return send('Add', payload)", {"payload": {"n": n}}, send=send) for n in range(40))
        )
        assert [run.result for run in runs] == list(range(1, 41))


async def test_the_server_imports_no_more_than_it_needs_in_the_zygote() -> None:
    """The zygote is clean: no event loop, no HTTP, and of the server the exact numbers only."""
    code = (
        "import sys\nnames = ('asyncio', 'ssl', 'http', 'bpm', 'pytest', 'sqlite3')\n"
        "result = sorted(m for m in sys.modules if m.split('.')[0] in names)"
    )
    async with OpenSandbox() as sandbox:
        assert (await sandbox.run(code, {})).result == ["bpm", "bpm.number"]
