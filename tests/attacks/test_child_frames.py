"""A child that broke out of the language layer says what it likes, when it likes: the server stays as it is."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from scripts import Limits
from scripts.server.messages import RUNNING, rooms, understood
from scripts.shared.frames import MalformedFrameError, kind_of, pack
from scripts.shared.headers import problem_with
from scripts.shared.values import verify
from tests.scripts.corpus import Bus
from tests.scripts.open_sandboxes import OpenSandbox

pytestmark = pytest.mark.anyio

SAY = """
import os, struct, msgspec
def frame(said):
    body = msgspec.msgpack.encode(said)
    return struct.pack("<I", len(body)) + body
def say(data):
    while data:
        data = data[os.write(3, data):]
def result(**other):
    return frame({"t": "result", "result": 1, "reply": None, "variables": {}, "peak": 1000} | other)
def reply(name="x", value="y", status=200):
    return result(reply={"status": status, "body": "", "headers": {name: value}})
"""


@pytest.fixture(scope="module")
async def wall() -> AsyncIterator[OpenSandbox]:
    """The sandbox without its language layer."""
    async with OpenSandbox(Limits(cpu_seconds=1, wall_seconds=2, answer_seconds=1)) as sandbox:
        yield sandbox


LIES = {
    "no memory": "say(result(peak=0))",
    "less than no memory": "say(result(peak=-5))",
    "more memory than the process has": "say(result(peak=2**31 - 1))",
    "memory beyond all numbers": "say(result(peak=2**63))",
    "a truth instead of memory": "say(result(peak=True))",
    "a header with a blank": "say(reply('content-length '))",
    "a header that begins with a blank": "say(reply(' content-length'))",
    "a header without a name": "say(reply(''))",
    "a header with a colon": "say(reply('x: y'))",
    "a header in other letters": "say(reply('content-length\u00a0'))",
    "a header that is too long": "say(reply('a' * 200_000))",
    "a header with a line": "say(reply('x', 'a\\r\\nb: c'))",
    "a header with a control character": "say(reply('x', 'a\\x85b'))",
    "a header that is a number": "say(reply('x', 1))",
    "a cookie": "say(reply('Set-Cookie', 'a=b'))",
    "a thousand headers": (
        "say(result(reply={'status': 200, 'body': '', 'headers': {f'x{n}': '' for n in range(1000)}}))"
    ),
    "a status of a hundred": "say(reply(status=100))",
    "a status that is no number": "say(reply(status='200'))",
    "a reply with more": "say(result(reply={'status': 200, 'body': '', 'headers': {}, 'user': 'root'}))",
    "more values than may be": "say(result(result=[[] for n in range(200_000)]))",
    "more values than may be, nested": "say(result(result=[[0] * 50_000 for n in range(4)]))",
    "more values than may be, beside": "say(result(more=[0] * 500_000))",
    "a command with a long name": "say(frame({'t': 'send', 'command': 'A' * 10_000, 'args': {}}))",
    "a log with more beside it": "say(frame({'t': 'log', 'text': '', 'z': [0] * 500_000}))",
    "a failure that is long": "say(frame({'t': 'failed', 'reason': 'error', 'message': 'x' * 99_999, 'line': 1}))",
    "its kind last": "say(frame({'text': '', 't': 'log'}))",
    "its kind twice": "say(b'\\x12\\0\\0\\0' + b'\\x83\\xa1t\\xa3log\\xa1t\\xa4send\\xa4text\\xa0')",
    "nothing at all": "say(struct.pack('<I', 0))",
    "a number that no JSON has": "say(result(result=float('inf')))",
    "a log without end": "while True:\n    say(frame({'t': 'log', 'text': 'x' * 60_000}))",
    "logs without end": "data = frame({'t': 'log', 'text': ''}) * 1000\nwhile True:\n    say(data)",
    "commands without end": "data = frame({'t': 'send', 'command': 'A', 'args': {}}) * 100\nwhile True:\n    say(data)",
}


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_ends_the_run(wall: OpenSandbox, name: str) -> None:
    """What no honest child says is believed in no part, and the next run finds everything as before."""
    run = await wall.run(f"{SAY}{LIES[name]}\nos.read(3, 1)\nos._exit(0)", {}, send=Bus().send)
    assert run.failure is not None
    assert run.failure.reason in ("crashed", "cpu", "wall")
    assert (run.result, run.reply) == (None, None)
    assert run.peak_memory_bytes < 1 << 31
    assert (await wall.run("result = 'clean'", {})).result == "clean"


STALLING = {
    "a command of many values": "data = frame({'t': 'send', 'command': 'X', 'args': {'a': [0] * 90_000}})",
    "a command of many lists": "data = frame({'t': 'send', 'command': 'X', 'args': {'a': [[]] * 90_000}})",
    "a command of one text": "data = frame({'t': 'send', 'command': 'X', 'args': {'a': 'x' * 1_000_000}})",
    "a command of many texts": (
        "data = frame({'t': 'send', 'command': 'X', 'args': {str(n): '' for n in range(45_000)}})"
    ),
}


@pytest.mark.parametrize("name", STALLING)
async def test_what_is_allowed_does_not_keep_others_waiting(wall: OpenSandbox, name: str) -> None:
    """As many of the largest commands as a run may send are looked at beside the event loop."""
    code = f"{SAY}{STALLING[name]}\nfor n in range(50):\n    say(data)\n    os.read(3, 65536)\nresult = 1"
    shares: list[float] = []

    async def watch() -> None:
        while True:
            before, busy = time.monotonic(), time.thread_time()
            await asyncio.sleep(0.001)
            shares.append(time.thread_time() - busy if time.monotonic() > before else 0)

    watching = asyncio.ensure_future(watch())
    try:
        await wall.run(code, {}, send=Bus().send, limits=Limits(cpu_seconds=5, wall_seconds=20))
    finally:
        watching.cancel()
    assert max(shares) < 0.05  # processor time of this thread between two looks, whatever else the machine does


async def test_a_child_that_never_reads_is_stopped(wall: OpenSandbox) -> None:
    """The server does not wait for ever until its answer is taken."""

    async def send(command: str, fields: object) -> str:
        return "x" * 900_000

    code = f"{SAY}data = frame({{'t': 'send', 'command': 'X', 'args': {{}}}})\nsay(data)\nwhile True:\n    pass"
    run = await wall.run(code, {}, send=send, limits=Limits(cpu_seconds=30, wall_seconds=0.5))
    assert run.failure is not None
    assert run.failure.reason == "wall"


async def test_a_child_that_says_more_than_its_result_is_not_used_again(wall: OpenSandbox) -> None:
    """What a child says after its result is not taken for a word of the next run."""
    code = f"{SAY}say(result(result=os.getpid(), clean=True) + frame({{'t': 'log', 'text': 'late'}}))\nos.read(3, 1)"
    first = await wall.run(code, {}, isolation="rule", tenant="late")
    second = await wall.run(code, {}, isolation="rule", tenant="late")
    assert first.result != second.result
    assert second.logs == []


async def test_a_child_that_does_not_say_that_it_is_clean_is_not_used_again(wall: OpenSandbox) -> None:
    """A process in which something of a run is left serves no other."""
    code = f"{SAY}say(result(result=os.getpid(), clean=False))\nos.read(3, 1)"
    pids = [(await wall.run(code, {}, isolation="rule", tenant="kept")).result for _ in range(2)]
    assert pids[0] != pids[1]


async def test_hundreds_of_scripts_that_wait_are_bounded(wall: OpenSandbox) -> None:
    """Runs beyond the number of processes are told to come again; the others, and later ones, come to their end."""
    gate = asyncio.Event()

    async def send(command: str, fields: object) -> None:
        await gate.wait()

    code = f"{SAY}say(frame({{'t': 'send', 'command': 'X', 'args': {{}}}}))\nos.read(3, 9999)\nresult = 1"
    limits = Limits(answer_seconds=60)
    runs = [asyncio.ensure_future(wall.run(code, {}, send=send, limits=limits)) for _ in range(300)]
    done, _ = await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    gate.set()
    ended = await asyncio.gather(*runs, return_exceptions=True)
    refused = [one for one in ended if isinstance(one, BaseException)]
    assert done
    assert 0 < len(refused) < 100
    assert all("scripts are running" in str(one) for one in refused)
    assert all(one.result == 1 for one in ended if not isinstance(one, BaseException))


def test_the_kind_is_known_before_the_rest_is_read() -> None:
    """The first bytes of whatever `pack` makes tell its kind; of anything else they tell none."""
    for kind in RUNNING:
        assert kind_of(pack({"t": kind, "x": 1})[4:20]) == kind
    for beginning in (
        b"",
        b"\x81",
        b"\x81\xa1t\xa9log",
        b"\x91\xa3log",
        b"\x81\xa1x\xa3log",
        b"\xde\0\x01\xa1t\xa3log",
    ):
        assert kind_of(beginning) == ""


def test_each_kind_has_its_own_room() -> None:
    """A log line is not allowed what a result is."""
    room = rooms(RUNNING, Limits())
    assert room["failed"] < room["log"] < room["send"] == room["result"]
    with pytest.raises(MalformedFrameError):
        understood("log", pack({"t": "send", "command": "A", "args": {}})[4:], Limits())


def test_values_are_counted_over_all_levels() -> None:
    """Neither breadth nor depth hides how many there are."""
    verify([[0] * 300] * 300)
    with pytest.raises(ValueError, match="more values"):
        verify([[0] * 400] * 400)


def test_headers_of_a_reply_are_tokens_and_text() -> None:
    """What a header may be is one question, asked on both sides."""
    assert problem_with({"X-Id": "1", "Content-Type": "text/plain", "X-Shop": "é€"}) is None
    wrong: list[object] = [{"a b": ""}, {"": ""}, {"x": "\n"}, {"set-cookie": ""}, {"x": "y" * 9_000}, [], {1: "x"}]
    for headers in wrong:
        assert problem_with(headers) is not None
