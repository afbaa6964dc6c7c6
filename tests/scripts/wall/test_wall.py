"""The wall holds without the language layer: plain Python inside a locked child gets nowhere."""

import asyncio
import os
import socket
from typing import Any

import pytest

from scripts import Limits
from tests.scripts.corpus import Bus, Section, scripts_of, sections_of
from tests.scripts.open_sandboxes import OpenSandbox

pytestmark = pytest.mark.anyio

SCRIPTS = scripts_of("hostile_scripts.json", "os")

ENDS = {
    "killed": ("crashed", "filter", "memory", "cpu"),
    "crash": ("crashed",),
    "protocol": ("crashed",),
    "oserror": ("error",),
    "error": ("error",),
    "ok": (None,),
}
"""The reasons of ours behind each word of the corpus."""


@pytest.mark.parametrize("script", SCRIPTS, ids=[script["name"] for script in SCRIPTS])
async def test_a_script_of_the_corpus_is_stopped(wall: OpenSandbox, script: dict[str, Any]) -> None:
    """Every attack on the system ends as the corpus says, and the next script finds everything as before."""
    bus = Bus()
    run = await wall.run(script["code"], {"payload": {}}, send=bus.send)
    reason = run.failure.reason if run.failure else None
    assert reason in [reason for word in script["expect"] for reason in ENDS[word]]
    assert "ESCAPED" not in str(run.result)
    after = await wall.run("result = 'clean'", {})
    assert after.result == "clean"


KILLED = {
    "a second filter": "ctypes.CDLL(None).syscall(317, 1, 0, 0)",
    "a new process by clone3": "ctypes.CDLL(None).syscall(435, 0, 0)",
    "a signal to the zygote": "os.kill(os.getpid() - 1, 9)",
    "a signal to a thread of another process": "ctypes.CDLL(None).syscall(234, 1, 1, 0)",
    "another user": "os.setuid(0)",
    "a mount": "ctypes.CDLL(None).mount(0, 0, 0, 0, 0)",
    "a socket pair": "socket.socketpair()",
    "a longer priority": "os.nice(-5)",
    "another's memory": "ctypes.CDLL(None).process_vm_readv(1, 0, 0, 0, 0, 0)",
    "an alarm instead of the timer": "signal.alarm(0)",
    "a memory file": "os.memfd_create('x')",
    "user faults": "ctypes.CDLL(None).syscall(323, 0)",
    "keys": "ctypes.CDLL(None).syscall(250, 0, 0, 0, 0, 0)",
    "a sleep": "import time\ntime.sleep(100)",
    "an old call by its 32-bit number": "ctypes.CDLL(None).syscall(0x40000000 + 59, 0, 0, 0)",
}


@pytest.mark.parametrize("name", KILLED)
async def test_a_call_that_no_script_needs_kills(wall: OpenSandbox, name: str) -> None:
    """System calls outside the list end the process at once, and the reason is the filter."""
    run = await wall.run(f"import ctypes, os, signal, socket\n{KILLED[name]}\nresult = 'ESCAPED'", {})
    assert run.failure is not None
    assert run.failure.reason == "filter"


@pytest.mark.parametrize(
    "attempt",
    [
        "ctypes.CDLL(None).mprotect(address, 4096, 7)",
        "-1 if ctypes.CDLL(None).mmap(0, 4096, 7, 0x22, -1, 0) == -1 else 0",
        "ctypes.CDLL(None).prctl(38, 0, 0, 0, 0)",
        "ctypes.CDLL(None).open(b'/etc/passwd', 0)",
    ],
)
async def test_a_question_is_answered_with_no(wall: OpenSandbox, attempt: str) -> None:
    """Executable memory, attributes of the process and files are refused without ending it."""
    code = f"import ctypes\naddress = ctypes.addressof(ctypes.create_string_buffer(8192)) & ~4095\nresult = {attempt}"
    run = await wall.run(code, {})
    assert (run.failure, run.result) == (None, -1)


async def test_a_child_has_no_descriptor_but_its_own(wall: OpenSandbox) -> None:
    """Beside the null device there is the socket and the pipe for last words."""
    run = await wall.run(
        "import os\nfound = []\nfor fd in range(4, 300):\n    try:\n        os.close(fd)\n        found.append(fd)\n"
        "    except OSError:\n        pass\nresult = found",
        {},
    )
    assert run.result == [4]


async def test_a_child_sees_three_variables(wall: OpenSandbox) -> None:
    """Nothing of the server's environment reaches a script, even without the language layer."""
    run = await wall.run("import os\nresult = sorted(os.environ)", {})
    assert set(run.result) <= {"PYTHONPATH", "PYTHONHASHSEED", "TZ", "LC_CTYPE"}


async def test_a_child_without_its_timer_is_stopped_by_the_server(wall: OpenSandbox) -> None:
    """A process that ignores the timer's signal still ends at the CPU limit."""
    code = "import signal\nsignal.signal(signal.SIGPROF, signal.SIG_IGN)\nwhile True:\n    pass"
    run = await wall.run(code, {}, limits=Limits(cpu_seconds=0.3))
    assert run.failure is not None
    assert run.failure.reason == "cpu"
    assert run.failure.line in (3, 4)


async def test_a_child_that_ignores_every_signal_is_killed(wall: OpenSandbox) -> None:
    """A process that ignores the signals which ask for its last words is killed outright."""
    code = (
        "import signal\nfor number in (signal.SIGPROF, signal.SIGUSR1):\n"
        "    signal.signal(number, signal.SIG_IGN)\nwhile True:\n    pass"
    )
    run = await wall.run(code, {}, limits=Limits(cpu_seconds=0.3))
    assert run.failure is not None
    assert run.failure.reason == "cpu"


async def test_a_child_that_says_nothing_is_stopped_by_the_wall_clock(wall: OpenSandbox) -> None:
    """A process that waits for what never comes ends at the wall limit."""
    run = await wall.run("import os\nos.read(3, 1)", {}, limits=Limits(wall_seconds=0.3))
    assert run.failure is not None
    assert (run.failure.reason, run.failure.line) == ("wall", 2)


FORGED: dict[str, str] = {
    "a message of another job": "{'t': 'compiled', 'code': b'', 'problems': [], 'warnings': []}",
    "a kind that does not exist": "{'t': 'exited', 'id': 1}",
    "a result without its parts": "{'t': 'result'}",
    "a result that is not JSON": "{'t': 'result', 'result': float('nan'), 'reply': None, 'variables': {}, 'peak': 1}",
    "variables that are none": "{'t': 'result', 'result': 1, 'reply': None, 'variables': 5, 'peak': 1}",
    "bytes in a result": "{'t': 'result', 'result': b'x', 'reply': None, 'variables': {}, 'peak': 1}",
    "a reply that splits": "{'t': 'result', 'result': 1, 'reply': {'status': 200, 'body': 1, 'headers': "
    "{'a': 'b\\r\\n'}}, 'variables': {}, 'peak': 1}",
    "a reason of the server's": "{'t': 'failed', 'reason': 'wall', 'message': '', 'line': 1, 'column': 1}",
    "a line that is no number": "{'t': 'failed', 'reason': 'error', 'message': '', 'line': 'x', 'column': 1}",
    "a command with a body that is no map": "{'t': 'send', 'n': 1, 'command': 'A', 'args': [1]}",
    "a log that is no text": "{'t': 'log', 'text': 7}",
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_message_ends_the_run(wall: OpenSandbox, name: str) -> None:
    """The server believes no message it did not expect in exactly that form."""
    code = (
        f"import os, struct, msgspec\nbody = msgspec.msgpack.encode({FORGED[name]})\n"
        "os.write(3, struct.pack('<I', len(body)) + body)\nwhile True:\n    pass"
    )
    run = await wall.run(code, {}, limits=Limits(cpu_seconds=2))
    assert run.failure is not None
    assert (run.failure.reason, run.result, run.sends) == ("crashed", None, 0)


async def test_a_frame_beyond_the_limit_is_not_read(wall: OpenSandbox) -> None:
    """A child that announces a huge frame is dropped before its bytes are taken."""
    run = await wall.run("import os, struct\nos.write(3, struct.pack('<I', 2**31))\nos.read(3, 1)", {})
    assert run.failure is not None
    assert run.failure.reason == "crashed"


async def test_forged_commands_and_logs_stop_at_their_limits(wall: OpenSandbox) -> None:
    """The server counts what a child sends, whatever the child thinks of its limits."""
    code = (
        "import os, struct, msgspec\n"
        "def say(**said):\n    body = msgspec.msgpack.encode(said)\n"
        "    os.write(3, struct.pack('<I', len(body)) + body)\n"
        "for n in range(20):\n    say(t='log', text='x' * 100)\n"
        "for n in range(20):\n    say(t='send', n=n, command='A', args={})\n    os.read(3, 65536)\n"
        "result = 'done'"
    )
    bus = Bus()
    run = await wall.run(code, {}, send=bus.send, limits=Limits(sends=3, log_lines=10, log_bytes=450))
    assert run.result == "done"
    assert (len(bus.sent), run.sends) == (3, 3)
    assert [len(line) for line in run.logs] == [100, 100, 100, 100, 50]


async def test_a_child_that_lives_on_after_its_result_is_killed(wall: OpenSandbox) -> None:
    """A process cannot go on working once its run has ended."""
    code = (
        "import os, struct, msgspec\nbody = msgspec.msgpack.encode({'t': 'result', 'result': os.getpid(), "
        "'reply': None, 'variables': {}, 'peak': 1})\n"
        "os.write(3, struct.pack('<I', len(body)) + body)\nwhile True:\n    pass"
    )
    run = await wall.run(code, {}, limits=Limits(cpu_seconds=60))
    assert run.ok
    await asyncio.sleep(1.3)
    with pytest.raises(ProcessLookupError):
        os.kill(run.result, 0)


async def test_the_network_of_the_machine_is_out_of_reach(wall: OpenSandbox) -> None:
    """A listening socket of the server's host gets no visitor from a script."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        run = await wall.run(f"import socket\nsocket.create_connection(('127.0.0.1', {port}))", {})
        assert run.failure is not None
        assert run.failure.reason == "filter"
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a user to drop")
async def test_a_child_is_not_root(wall: OpenSandbox) -> None:
    """A sandbox started by root runs its children as nobody."""
    assert wall.locks["user"] == "dropped to 65534"


PRELUDE = (
    "import ctypes, os, resource, signal, socket, struct, msgspec\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "def say(body):\n    os.write(3, struct.pack('<I', len(body)) + body)\n    os.read(3, 1)\n"
)
MORE = sections_of("hostile_wall.txt")


@pytest.mark.parametrize("script", MORE, ids=[script.name for script in MORE])
async def test_an_attack_of_ours_is_stopped(wall: OpenSandbox, script: Section) -> None:
    """Every attack on the wall ends with a reason it may end with, and the next script finds everything as before."""
    run = await wall.run(
        PRELUDE + script.code, {}, send=Bus().send, limits=Limits(cpu_seconds=0.3, wall_seconds=2, answer_seconds=1)
    )
    assert (run.failure.reason if run.failure else "ok") in script.words
    assert "ESCAPED" not in f"{run.result} {run.logs}"
    after = await wall.run("result = 'clean'", {})
    assert (after.failure, after.result) == (None, "clean")
