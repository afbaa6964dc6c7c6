"""`bpm demo`, as it is started by hand."""

import asyncio
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from bpm.accounts import Accounts
from bpm.app.foundation import build_foundation
from bpm.clock import system_clock
from bpm.settings import Settings
from bpm.testing.process import free_port

pytestmark = pytest.mark.anyio

DEMO = (sys.executable, "-m", "bpm.cli", "demo")
SENDERS = (
    "GitHub push",
    "Stripe",
    "Paystack charge.success",
    "Shop",
    "Mono account_updated",
    "Remita",
    "Somebody",
    "Payment provider",
)
ORDER = ("reserve", "patience", "remind", "review", "paid", "undo", "release")
CAUSES = ("signature: ", "address: ", "unknown: ", "disabled: ")


async def run_demo(*options: str) -> asyncio.subprocess.Process:
    """Start the demo."""
    return await asyncio.create_subprocess_exec(
        *DEMO, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def test_the_demo_tells_what_happened(tmp_path: Path) -> None:
    """Every request is executed or refused with its cause, and the data stays in the named folder."""
    demo = await run_demo("--once", "--data", str(tmp_path / "data"))
    output, errors = (text.decode() for text in await demo.communicate())
    assert (demo.returncode, errors) == (0, "")
    for words in (*SENDERS, *CAUSES, "done: ", "duplicate: ", "COMPLETED", "/docs/api", *ORDER):
        assert words in output, words
    for words in ("failed: ", "dead: ", "pending: "):
        assert words not in output, words
    assert len(re.findall(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}\b", output)) >= 20
    assert (tmp_path / "data" / "bpm.db").stat().st_size > 0
    assert f"BPM_DATA_DIR={tmp_path / 'data'} bpm serve" in output
    password = re.search(r"To sign in: admin and (\S+)", output)
    assert password, "nobody could sign in to what was kept"
    await _sign_in(tmp_path / "data", password[1])


async def test_a_port_in_use_ends_the_demo() -> None:
    """Where another program listens, the demo ends with one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = await run_demo("--once", "--port", str(port))
        output, errors = (text.decode() for text in await demo.communicate())
    assert (demo.returncode, output) == (1, "")
    assert errors.startswith(f"bpm: can't listen on 127.0.0.1 port {port} (Address already in use)")
    assert errors.count("\n") == 1


async def test_the_demo_stays_until_interrupted() -> None:
    """Without --once it says how to look around, and Ctrl-C ends it with status 0."""
    port = free_port()
    demo = await run_demo("--port", str(port))
    assert demo.stdout is not None
    output = ""
    while "Ctrl-C stops the server." not in output:
        line = await asyncio.wait_for(demo.stdout.readline(), 60)
        assert line, output
        output += line.decode()
    assert f"export BPM_URL=http://127.0.0.1:{port} BPM_USERNAME=admin BPM_PASSWORD=" in output
    demo.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(demo.wait(), 60) == 0
    await demo.communicate()


async def test_the_demo_keeps_off_data_in_use(tmp_path: Path) -> None:
    """A folder that holds something is refused."""
    (tmp_path / "bpm.db").write_text("")
    demo = await run_demo("--data", str(tmp_path))
    _, errors = await demo.communicate()
    assert demo.returncode == 2
    assert b"is in use; name a new folder" in errors


async def _sign_in(folder: Path, password: str) -> None:
    """Sign in as the administrator of a data folder; raises `Unauthenticated`."""
    settings = Settings(data_dir=folder)
    foundation = build_foundation(settings, system_clock)
    await foundation.database.start()
    try:
        accounts = Accounts(foundation.database, settings, foundation.key)
        await accounts.sessions.sign_in("admin", password, "127.0.0.1")
    finally:
        await foundation.database.stop()
