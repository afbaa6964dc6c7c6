"""A log that can't be written costs lines, and nobody an answer."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from bpm.log_stream import LogStream
from bpm.testing import ServerProcess, until

pytestmark = pytest.mark.anyio

REQUESTS = 150
"""Each leaves a trace of a few kilobytes; a pipe takes 64 KiB."""
LINE = "x" * 999 + "\n"
NOBODY = {"BPM_COMMAND_PACKAGES": "tests.attacks.hostile_handlers", "PYTHONPATH": str(Path(__file__).parents[2])}


class LoggingTo(ServerProcess):
    """A server whose log is the pipe or device at a path."""

    def __init__(self, path: Path) -> None:
        super().__init__(**NOBODY)
        self._log_path = path

    @property
    def log(self) -> str:
        """Nothing that could be read to its end."""
        return ""


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """Both ends of a pipe."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "w") as writer:
        yield reader.fileno(), writer


def read(descriptor: int) -> str:
    """Read what is in a pipe."""
    return os.read(descriptor, 1 << 20).decode()


def test_lines_are_written_whole(pipe: tuple[int, TextIO]) -> None:
    """Also one that is longer than a pipe takes at once, and one that is no Unicode."""
    reading, writing = pipe
    stream = LogStream(writing)
    lines = ["short\n", "l" * 20_000 + "\n", "\ud800\n"]
    assert [stream.write(line) for line in lines] == [len(line) for line in lines]
    assert read(reading) == lines[0] + lines[1] + "\\ud800\n"


def test_a_reader_who_stops_holds_nobody_up(pipe: tuple[int, TextIO]) -> None:
    """What the pipe does not take is left out, and counted when it takes something again."""
    reading, writing = pipe
    stream = LogStream(writing)
    for _ in range(1000):
        stream.write(LINE)
    taken = read(reading).count("\n")
    assert 0 < taken < 1000
    stream.write("again\n")
    notice, last = read(reading).splitlines()
    assert json.loads(notice)["lines"] == 1000 - taken
    assert last == "again"


def test_a_full_disk_and_a_reader_who_is_gone_raise_nothing() -> None:
    """The first says so at each line, the second too."""
    with Path("/dev/full").open("w") as full:
        assert LogStream(full).write(LINE) == len(LINE)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as orphan:
        assert LogStream(orphan).write(LINE) == len(LINE)


@pytest.fixture
def unread(tmp_path: Path) -> Iterator[Path]:
    """A pipe that is open, and that nobody reads."""
    os.mkfifo(path := tmp_path / "log")
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield path
    os.close(reading)


@pytest.mark.parametrize("where", ["on a full disk", "unread"])
async def test_a_server_answers_whatever_becomes_of_its_log(where: str, unread: Path) -> None:
    """Every request that fails leaves a line; here none can be written, or the pipe is full after a few."""
    async with LoggingTo(unread if where == "unread" else Path("/dev/full")) as server:
        await server.rule(
            "raises", commandName="RaiseCommand", retry={"attempts": 1}, parameters={"name": "TimeoutError"}
        )
        for _ in range(REQUESTS):
            assert (await server.hook("raises", {})).status == 200
        await until(lambda: server.requests(state="dead"), lambda dead: len(dead) == REQUESTS, seconds=60)
        assert (await server.request("GET", "/readyz")).status == 200
