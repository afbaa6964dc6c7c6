"""What a shell gives a command and takes from it: closed and full streams, encodings, readers that leave, Ctrl-C."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from bpm.cli.exits import ExitStatus

BPM = [sys.executable, "-m", "bpm.cli"]
STRANGE = 'data={"a": "€ü😀"}'
DRY = ("send", "PublishEventCommand", "--dry-run", "event=x.y")
EVERY_KIND_OF_OUTPUT = [("types",), ("types", "--format", "text"), ("db", "check"), ("db", "check", "--format", "text")]


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("BPM_", "LC_", "PYTHON"))}
    return {**inherited, "LC_ALL": "C.UTF-8", **more}


def bpm(
    *words: str | bytes,
    env: Any = None,
    stdin: int | None = None,
    stdout: int | IO[str] = subprocess.PIPE,
    start_new_session: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a process."""
    return subprocess.run(
        [*BPM, *words],
        env=environment() if env is None else env,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=start_new_session,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a database that is there."""
    found = environment(BPM_DATA_DIR=str(tmp_path_factory.mktemp("data")))
    assert bpm("db", "upgrade", env=found).returncode == 0
    return found


@pytest.mark.parametrize("words", EVERY_KIND_OF_OUTPUT, ids=" ".join)
def test_a_reader_that_leaves_is_no_news(words: tuple[str, ...], data: dict[str, str]) -> None:
    """As in `bpm types | head -1`: the command ends without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = bpm(*words, stdout=writing, env=data)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (ExitStatus.ERROR, b"")


@pytest.mark.parametrize("words", EVERY_KIND_OF_OUTPUT, ids=" ".join)
def test_a_full_disk_below_the_output_is_told(words: tuple[str, ...], data: dict[str, str]) -> None:
    """What was printed is lost, and the command says so."""
    with Path("/dev/full").open("w") as full:
        ended = bpm(*words, stdout=full, env=data)
    assert ended.returncode == ExitStatus.ERROR
    assert b"No space left on device" in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [*EVERY_KIND_OF_OUTPUT, (*DRY, "data={}")], ids=" ".join)
def test_closed_streams_are_empty(words: tuple[str, ...], data: dict[str, str]) -> None:
    """A command does its work though nobody listens, and opens no file in the place of a stream."""
    closing = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    ended = subprocess.run([*closing, *BPM, *words], env=data, timeout=120, check=False)
    assert ended.returncode == ExitStatus.DONE


def test_a_body_from_a_closed_input_is_empty() -> None:
    """As it is from /dev/null."""
    ended = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *BPM, *DRY[:3], "-f", "-"],
        env=environment(), capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert (ended.returncode, b"the body is empty" in ended.stderr) == (ExitStatus.USAGE, True), ended.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
@pytest.mark.parametrize("kind", ["json", "text"])
def test_what_an_encoding_lacks_is_written_as_json_writes_it(encoding: str, kind: str) -> None:
    """The value stays the same one in any terminal."""
    ended = bpm(*DRY, STRANGE, "--format", kind, env=environment(PYTHONIOENCODING=encoding))
    assert ended.returncode == ExitStatus.DONE, ended.stderr
    printed = ended.stdout.decode("utf-8" if encoding == "ascii" else encoding)
    assert json.loads(printed)["data"] == {"a": "€ü😀"}


def test_a_word_that_is_no_text_is_refused() -> None:
    """It could not be sent; a setting is named without its value."""
    ended = bpm(b"send", b"PublishEventCommand", b"event=caf\xe9", b"data={}", b"--token", b"x")
    assert (ended.returncode, b"event=caf\\xe9 is not written in" in ended.stderr) == (ExitStatus.USAGE, True)
    strange: dict[Any, Any] = {**environment(BPM_USERNAME="admin"), b"BPM_PASSWORD": b"p\xe9"}
    ended = bpm("requests", "list", env=strange)
    assert (ended.returncode, b"BPM_PASSWORD is not" in ended.stderr, b"p\\xe9" in ended.stderr) == (2, True, False)


def test_ctrl_c_at_a_question_is_an_interrupt() -> None:
    """In a terminal, before anything was answered: 130, as elsewhere."""
    outer, inner = pty.openpty()
    words = [*BPM, "users", "change-password", "--username", "ann"]
    with subprocess.Popen(
        words,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment(),
        start_new_session=True,
        preexec_fn=take_terminal,
    ) as asking:
        os.close(inner)
        shown = b""
        while b"Current password" not in shown:
            shown += os.read(outer, 4096)
        os.write(outer, b"\x03")
        assert asking.wait(60) == 130, shown
    os.close(outer)


def take_terminal() -> None:
    """Make standard input the terminal from which Ctrl-C comes."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_where_nobody_can_be_asked_a_question_ends_the_command() -> None:
    """It says so, as wrong usage."""
    ended = bpm("users", "change-password", "--username", "ann", stdin=subprocess.DEVNULL, start_new_session=True)
    assert (ended.returncode, b"run it in a terminal" in ended.stderr) == (ExitStatus.USAGE, True), ended.stderr
