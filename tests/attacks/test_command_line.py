"""The command line shows what strangers sent and does what a server says: neither takes the terminal or the machine."""

import asyncio
import json
import os
import pty
import subprocess
import sys
import unicodedata
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from bpm.cli.files.folder import FolderError, read_folder, write_folder
from bpm.terminal_text import harmless, in_one_line
from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess, WebhookReceiver

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
TITLE = "\x1b]0;taken over\x07"
CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"
HIDING = "\x9b2J\u202egnp.exe"
EARLIER = "2020-01-01T00:00:00Z"


async def on_terminal(server: ServerProcess, *words: str, **more: str) -> str:
    """Call the command line with a terminal, and return all that it wrote there."""
    known = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD, **more}
    return await anyio.to_thread.run_sync(partial(_on_terminal, words, {**os.environ, **known}))


def _on_terminal(words: tuple[str, ...], environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bpm.cli", *words]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = bytearray()
    try:
        while piece := os.read(ours, 65_536):
            written += piece
    except OSError:  # nobody holds the other end any more
        pass
    os.close(ours)
    process.wait()
    return written.decode(errors="surrogateescape")


def commanding(text: str) -> list[str]:
    """Return what a terminal would obey, but for the ends of lines and rich's own colours."""
    plain = "".join(piece.partition("m")[2] if at else piece for at, piece in enumerate(text.split("\x1b[")))
    return [c for c in plain if c not in "\r\n\t" and (unicodedata.category(c) == "Cc" or c in "\u202e\u2066")]


@pytest.mark.parametrize("text", [TITLE, CLIPBOARD, HIDING, "a\rb", "\u2028", "\ud800", "\x7f\x08"])
def test_a_text_commands_no_terminal(text: str) -> None:
    """And where it stands in JSON, the JSON means the same."""
    assert not commanding(harmless(f"before {text} after"))
    assert "\r" not in harmless(text)
    written = json.dumps({"text": text.encode(errors="replace").decode()}, ensure_ascii=False)
    assert json.loads(harmless(written)) == json.loads(written)
    assert in_one_line(f"{text}\n12:00:00  POST paid  passed").count("\n") == 0


def test_the_command_line_writes_in_one_place() -> None:
    """What is printed elsewhere would not be looked at."""
    writing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "bpm" / "cli").rglob("*.py")
        if "typer.echo(" in path.read_text() or "\n    print(" in path.read_text()
    }
    assert writing == {"bpm/cli/terminal.py"}


async def test_what_strangers_send_reaches_no_terminal(tmp_path: Path) -> None:
    """Whose path, body and headers an operator looks at; also none of them ends or holds up a listener."""
    async with ServerProcess() as server, WebhookReceiver() as receiver:
        await server.rule("told", commandName="PingQuery")
        await server.http.post("/api/webhooks/told/%1b%5d0;taken%20over%07%0a12:00:00%20%20POST%20paid", content=b"{}")
        headers: dict[str, Any] = {"content-type": "text/plain", "x-name": "café".encode(), "upgrade": "h2c"}
        for body in (TITLE + CLIPBOARD, HIDING):
            await server.http.post("/api/webhooks/told", content=body.encode(), headers=headers)
        await server.hook("told", {"number": 3})
        await server.settled()
        state = {"XDG_STATE_HOME": str(tmp_path)}
        since = ("--since", EARLIER, "--no-follow")
        listened = await on_terminal(server, "listen", "--forward-to", f"{receiver.url}/local", *since, **state)
        tailed = await on_terminal(server, "requests", "tail", *since)
        listed = await on_terminal(server, "requests", "list")
        assert receiver.requests[-1].json() == {"number": 3}
        assert receiver.requests[-2].body.decode() == HIDING
        assert receiver.requests[-2].headers["x-name"].encode("latin-1") == "café".encode()
        assert "upgrade" not in receiver.requests[-2].headers
        assert "taken over" in listened
        assert "taken over" in tailed
        assert len([line for line in tailed.splitlines() if line.startswith("12:00:00")]) == 0
        assert not [found for found in map(commanding, (listened, tailed, listed)) if found]


async def test_a_request_that_cannot_be_sent_holds_up_no_other(tmp_path: Path) -> None:
    """Of a hostile server: a header that is two is told of and passed by, rather than tried for ever."""
    read = {"receivedAt": EARLIER, "verdict": "passed", "path": "x"}
    made: dict[str, Any] = {**read, "method": "POST", "query": {}, "body": "{}"}
    wrong = {**made, "requestId": "1", "headers": {"x-a": "b\r\nx-c: d"}}
    requests: dict[str, Any] = {"1": wrong, "2": {**made, "requestId": "2", "headers": {}}}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        asked = json.loads(await reader.readexactly(length))
        found: Any = requests.get(asked.get("requestId"), {"items": list(requests.values()), "totalCount": 2})
        body = json.dumps({"success": True, "data": found, "message": ""}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as hostile, WebhookReceiver() as receiver:
        port = hostile.sockets[0].getsockname()[1]
        words = ("listen", "--forward-to", receiver.url, "--since", EARLIER, "--no-follow")
        known = {"BPM_URL": f"http://127.0.0.1:{port}", "BPM_TOKEN": "t", "XDG_STATE_HOME": str(tmp_path)}
        told = await anyio.to_thread.run_sync(partial(_on_terminal, words, {**os.environ, **known}))
        assert "1 can't be sent as it came" in told
        assert [request.body for request in receiver.requests] == [b"{}"]
        assert "x-c" not in receiver.requests[0].headers


HOOKS = [
    ".git/config",
    ".git/hooks/pre-commit.py",
    "rules/../.git/x.py",
    "../x.py",
    "/etc/x.py",
    "Makefile",
    "tests/x.py",
]


@pytest.mark.parametrize("name", HOOKS)
def test_a_server_names_no_file_that_another_program_obeys(name: str, tmp_path: Path) -> None:
    """What is exported is written where parts are read from, and nowhere else: no hook or setting of git's."""
    folder = tmp_path / "here"
    folder.mkdir()
    with pytest.raises(FolderError):
        write_folder(folder, [], {name: "evil"})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_exported_is_read_again(tmp_path: Path) -> None:
    """Also a rule whose key begins with a dot: hidden, it would be missing from the next plan, which may delete it."""
    rule = {"kind": "rule", "path": "x", "action": "POST", "commandName": "PingQuery"}
    written = write_folder(tmp_path, [{**rule, "key": ".hidden"}, {**rule, "key": "hidden"}, {**rule, "key": ".."}], {})
    assert not [name for name in written if "/." in name]
    assert sorted(part["key"] for part in read_folder(tmp_path).parts) == ["..", ".hidden", "hidden"]
