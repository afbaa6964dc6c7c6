"""Every command of `bpm`: it has help, and ends as its page says when it is used wrongly or nobody answers."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import anyio.to_thread
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from bpm.cli import main
from bpm.cli.exits import ExitStatus
from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio

AWAY = "http://127.0.0.1:9"
"""Where nobody listens."""

NOBODY: dict[str, str | None] = dict.fromkeys(
    ("BPM_URL", "BPM_TOKEN", "BPM_USERNAME", "BPM_PASSWORD", "BPM_COMMAND_PACKAGES")
)
UNKNOWN = "999999"
"""An id or key of nothing; it is a text and a number."""
NOT_AN_ID = {"send", "process deploy", "keys create", "users create", "listen"}
"""Commands whose argument names nothing that the server has."""
OWN = {
    "listen": ("--forward-to", AWAY),
    "send": ("GetEventListQuery",),
    "apply": ("-f", "."),
    "diff": ("-f", "."),
    "export": ("-f", "exported"),
    "process deploy": ("model.bpmn",),
    "dead discard": (UNKNOWN, "--reason", "x"),
}
"""Words that a command needs besides ids."""
WHOLE_ANSWERS = {"send", "process deploy"}
"""Commands that print what the server answers to a program, refusals included."""
LISTS_OFFLINE = {"types show"}
"""Commands that ask nobody where nobody says who asks."""
MODEL = """\
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x">
  <process id="p" isExecutable="true"><startEvent id="s"/></process>
</definitions>
"""


def commands(path: tuple[str, ...] = (), command: Any = None) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command and group, with the words that call it."""
    command = get_command(main) if command is None else command
    yield path, command
    inner: dict[str, Any] | None = getattr(command, "commands", None)
    for name, each in (inner or {}).items():
        yield from commands((*path, name), each)


EVERY = [each for each in commands() if each[0]]
FINDINGS = {"doctor"}
"""Commands for which a server that is away, or refuses, is one finding among others."""
REMOTE = [
    (path, command)
    for path, command in EVERY
    if not getattr(command, "commands", None)
    and {"url", "token"} <= {each.name for each in command.params}
    and " ".join(path) not in FINDINGS
]
"""Those that ask a server, as somebody."""


def named(each: object) -> str:
    """Return how a case is called."""
    return "-".join(cast("tuple[str, ...]", each)) if isinstance(each, tuple) else ""


def bpm(*words: str) -> Any:
    """Run a command in this process, as nobody."""
    return CliRunner().invoke(main, words, env=NOBODY)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server to ask."""
    async with ServerProcess() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a process, and no rules."""
    (tmp_path / "model.bpmn").write_text(MODEL)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("path", "command"), EVERY, ids=named)
def test_every_command_and_word_is_explained(path: tuple[str, ...], command: Any) -> None:
    """The command says what it does in a sentence, and so does each argument and option."""
    assert (command.help or "").strip().partition("\n")[0].endswith((".", ":", "?", ",", ";"))
    told = [each for each in command.params if not getattr(each, "hidden", False)]
    assert [each.name for each in told if not getattr(each, "help", None)] == []
    shown = bpm(*path, "--help")
    assert (shown.exit_code, "Usage: " in shown.stdout) == (ExitStatus.DONE, True)


@pytest.mark.parametrize(("path", "command"), EVERY, ids=named)
def test_an_unknown_option_is_wrong_usage(path: tuple[str, ...], command: Any) -> None:
    """It ends with 2, says so on standard error, and nothing was done."""
    wrong = bpm(*path, "--no-such-option")
    assert (wrong.exit_code, wrong.stdout) == (ExitStatus.USAGE, "")
    assert "--no-such-option" in wrong.stderr


@pytest.mark.parametrize(("path", "command"), REMOTE, ids=named)
def test_who_asks_must_be_said(path: tuple[str, ...], command: Any, folder: Path) -> None:
    """Without a token or a name the command ends with 2 before it asks anybody."""
    if " ".join(path) in LISTS_OFFLINE:
        return
    asked = bpm(*words_of(path, command), "--url", AWAY)
    assert (asked.exit_code, asked.stdout) == (ExitStatus.USAGE, "")
    assert "BPM_TOKEN" in asked.stderr


@pytest.mark.parametrize(("path", "command"), REMOTE, ids=named)
def test_a_server_that_is_away_is_an_error(path: tuple[str, ...], command: Any, folder: Path) -> None:
    """Nobody answers: the command ends with 1 and says at which address."""
    away = bpm(*words_of(path, command), "--url", AWAY, "--token", "x")
    assert (away.exit_code, away.stdout) == (ExitStatus.ERROR, "")
    assert f"no server answers at {AWAY}" in away.stderr


@pytest.mark.parametrize(("path", "command"), REMOTE, ids=named)
async def test_a_stranger_is_refused(path: tuple[str, ...], command: Any, folder: Path, server: ServerProcess) -> None:
    """A token that is none ends the command with 4 and the server's words."""
    refused = await asked_of(server, *words_of(path, command), "--token", "x" * 40)
    assert refused.exit_code == ExitStatus.REFUSED
    assert refused.stdout == "" or " ".join(path) in WHOLE_ANSWERS
    assert "(401)" in refused.stderr


@pytest.mark.parametrize(
    ("path", "command"),
    [
        each
        for each in REMOTE
        if any(word.param_type_name == "argument" for word in each[1].params) and " ".join(each[0]) not in NOT_AN_ID
    ],
    ids=named,
)
async def test_what_is_not_there_is_refused(
    path: tuple[str, ...], command: Any, folder: Path, server: ServerProcess
) -> None:
    """An id of nothing ends the command with 4 and a sentence."""
    missing = await asked_of(server, *words_of(path, command), "--token", str(server.token))
    assert (missing.exit_code, missing.stdout) == (ExitStatus.REFUSED, "")
    assert "(404)" in missing.stderr


def words_of(path: tuple[str, ...], command: Any) -> list[str]:
    """Return how a command is called with all it needs."""
    name = " ".join(path)
    if name in OWN:
        return [*path, *OWN[name]]
    return [*path, *(UNKNOWN for each in command.params if each.param_type_name == "argument" and each.required)]


async def asked_of(server: ServerProcess, *words: str) -> Any:
    """Run a command against a server, beside this loop."""
    return await anyio.to_thread.run_sync(partial(bpm, *words, "--url", server.url))


@pytest.mark.parametrize(
    ("words", "status"), [(("send", "PingQuery"), 130), (("requests", "list"), 130), (("requests", "tail"), 0)]
)
async def test_an_interrupt_ends_a_command(words: tuple[str, ...], status: int) -> None:
    """Ctrl-C while a server thinks: 130, without a trace; what goes on until it is ended is done."""
    asked = asyncio.Event()

    async def think(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await ended.wait()
        writer.close()

    ended = asyncio.Event()
    silent = await asyncio.start_server(think, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bpm.cli", *words, "--url", url, "--token", "x"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await asyncio.wait_for(asked.wait(), 60)
        command.send_signal(signal.SIGINT)
        printed, said = await asyncio.wait_for(command.communicate(), 60)
    finally:
        ended.set()
        silent.close()
        await silent.wait_closed()
    assert (command.returncode, printed) == (status, b""), said
    assert b"Traceback" not in said
