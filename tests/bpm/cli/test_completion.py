"""Tab in a real shell: what `bpm --install-completion` teaches it."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = 60.0
"""How long the shell may take for one answer; an answer ends the wait."""
PROMPT = "[READY]"
BASH = shutil.which("bash")


class Shell:
    """An interactive bash in a terminal of its own."""

    def __init__(self, terminal: int) -> None:
        """Take the terminal's other end."""
        self._terminal = terminal
        self._ahead = ""

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def shows(self, expected: str) -> str:
        """Wait until the terminal has shown a text, and return all that it showed until then."""
        shown, deadline = self._ahead, time.monotonic() + SECONDS
        while expected not in shown:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"the shell did not show {expected!r}: {shown!r}"
            shown += os.read(self._terminal, 4096).decode(errors="replace")
        before, _, self._ahead = shown.partition(expected)
        return before + expected

    def completes(self, words: str, expected: str) -> None:
        """Type words and the tab key, wait for what stands there then, and clear the line."""
        self.type(f"{words}\t")
        self.shows(expected)
        self.type("\x15\x0b\n")
        self.shows(PROMPT)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A bash whose user has installed the completion, and nothing else."""
    if BASH is None:
        pytest.skip("bash is not installed")
    home = tmp_path_factory.mktemp("home")
    path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin"))
    environment = {"HOME": str(home), "PATH": path, "TERM": "dumb", "PS1": PROMPT}
    # the shell is the one that it is called in: not the one that the tests are called in
    install = [BASH, "-c", "bpm --install-completion; exit $?"]
    subprocess.run(install, env=environment, check=True, capture_output=True, timeout=SECONDS)
    with (home / ".bashrc").open("a") as started:
        started.write(f"\nPS1='{PROMPT}'\nbind 'set enable-bracketed-paste off'\n")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [BASH, "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True, cwd=home
    ) as process:
        os.close(theirs)
        shell = Shell(ours)
        shell.shows(PROMPT)
        yield shell
        process.kill()
    os.close(ours)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("bpm vers", "bpm version "),
        ("bpm users reset", "bpm users reset-password "),
        ("bpm serve --no-w", "bpm serve --no-worker "),
        ("bpm db adopt", "bpm db adopt-key "),
    ],
)
def test_tab_completes_what_was_begun(shell: Shell, words: str, expected: str) -> None:
    """Verbs, verbs of a group and options are completed where one alone begins so."""
    shell.completes(words, expected)


def test_two_tabs_list_what_is_possible(shell: Shell) -> None:
    """Where several begin so the shell lists them."""
    shell.type("bpm users c\t\t")
    shown = shell.shows("change-password") + shell.shows(f"{PROMPT}bpm users c")
    assert {"create", "change-password"} <= set(shown.split())
    shell.type("\x15\x0b\n")
    shell.shows(PROMPT)
