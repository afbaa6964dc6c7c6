"""`bpm rotate-key`: everything is sealed again by another key, while servers go on, and however often it is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.errors import Misconfigured
from bpm.security.secrets import SecretBox
from bpm.testing import RunningApp, running_app
from tests.attacks.test_sender_secrets import everything
from tests.commands.playing import bpmn, deploy, start

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]

SECRET = "canary-rotated-4711"
OLD, NEW = "o" * 32, "n" * 32
OLD_MARK, NEW_MARK = (SecretBox(key.encode()).prefix for key in (OLD, NEW))
WAITS = "start s; user t; end e\ns -> t -> e"
RECEIVING = bpmn("start s; receive r: m; end e\ns -> r -> e", "q").replace(
    'name="m"/>', 'name="m"><extensionElements><zeebe:subscription correlationKey="k"/></extensionElements></message>'
)
ACCOUNT = {"username": "erin", "password": "correct horse battery"}
KILLED = """
import asyncio, os, signal
from bpm.accounts.key_rotation import rotate_key
from bpm.app.settings import load_settings
from bpm.cli.storage import checked
from bpm.clock import system_clock
from bpm.security.secrets import load_accepted_key, load_secret_key

def end_in_the_middle(table, done, total):
    if table == "webhook_config":
        os.kill(os.getpid(), signal.SIGKILL)

async def work():
    settings = load_settings()
    database = await checked(settings)
    await database.start()
    keys = load_accepted_key(settings), load_secret_key(settings)
    await rotate_key(database, *keys, system_clock, end_in_the_middle, is_served=False)

asyncio.run(work())
"""
"""A rotation that is killed when it comes to the rules."""


@pytest.fixture(params=["a file", "PostgreSQL"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without rows."""
    return request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else f"sqlite:///{tmp_path}/bpm.db"


async def rotate(*words: str, **environment: Any) -> Any:
    """Run `bpm rotate-key` in this process, beside the loop."""
    cleared = dict.fromkeys(("BPM_DATABASE_URL", "BPM_SECRET_KEY", "BPM_ACCEPTED_SECRET_KEY"))
    given = {name: str(value) for name, value in environment.items()}
    command = partial(CliRunner().invoke, main, ("rotate-key", *words), env={**cleared, **given})
    return await asyncio.to_thread(command)


async def seal(app: RunningApp) -> None:
    """Store something sealed wherever that happens: rules, requests, instances, messages, subscriptions, answers."""
    parameters = {"username": "{{payload.name}}", "password": SECRET}
    await app.rule("user", commandName="CreateUserCommand", parameters=parameters, responseMode="sync")
    signature = {"scheme": "bearer", "secret": SECRET}
    code = {"executionType": 2, "executionCode": "return payload"}
    await app.rule("signed", signature=signature, **code)
    await send_signed(app, 1)
    await deploy(app, WAITS)
    await start(app, password=SECRET)
    await app.cmd("CreateProcessDefinitionCommand", name="q", bpmnXml=RECEIVING)
    variables = {"password": SECRET}
    early = {"messageName": "m", "correlationKey": "k", "timeToLiveSeconds": 600, "variables": variables}
    await app.cmd("CorrelateMessageCommand", **early)
    transform = {"template": {"password": SECRET}}
    address = f"https://example.com/?token={SECRET}"
    await app.cmd("CreateSubscriptionCommand", url=address, events=["*"], transform=transform)
    assert await create_account(app) == await create_account(app)


async def send_signed(app: RunningApp, number: int) -> None:
    """Send a request that proves itself by what is sealed."""
    assert (await app.hook("signed", {"n": number}, {"authorization": f"Bearer {SECRET}"})).ok
    await app.settled()


async def create_account(app: RunningApp) -> Any:
    """Create an account once, however often this is sent."""
    return (await app.send("CreateUserCommand", ACCOUNT, {"idempotency-key": "erin"})).data["id"]


async def test_a_key_is_changed_while_a_server_goes_on(url: str, tmp_path: Path) -> None:
    """Killed in the middle, then run to its end beside a server: all is used as before, and nothing is left."""
    place: dict[str, Any] = {"data_dir": tmp_path, "database_url": url, "delivery": {"probe": "off"}}
    async with running_app(**place, secret_key=OLD) as app:
        await seal(app)
        account = await create_account(app)
        assert OLD_MARK in await everything(app)
    environment = {"BPM_DATA_DIR": str(tmp_path), "BPM_DATABASE_URL": url}
    environment |= {"BPM_SECRET_KEY": NEW, "BPM_ACCEPTED_SECRET_KEY": OLD}
    killed = await asyncio.to_thread(killed_rotation, environment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for key in (OLD, NEW):
        with pytest.raises(Misconfigured, match="written with another BPM_SECRET_KEY"):
            async with running_app(**place, secret_key=key):
                pass
    async with running_app(**place, secret_key=NEW, accepted_secret_key=OLD) as app:
        half = await everything(app)
        assert OLD_MARK in half
        assert NEW_MARK in half
        await send_signed(app, 2)
        done = await rotate(**environment)
        assert done.exit_code == 0, done.output
        assert "nothing is left under" in done.output
        assert OLD_MARK not in await everything(app)
        assert await create_account(app) == account
        (line,) = (await app.cmd("GetAuditLogQuery", messageType="bpm rotate-key"))["items"]
        assert line["fields"]["rows"] > 0
    async with running_app(**place, secret_key=NEW) as app:
        await used_as_before(app)


def killed_rotation(environment: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a rotation that does not come to its end."""
    return subprocess.run(
        [sys.executable, "-c", KILLED], env={**os.environ, **environment}, capture_output=True, check=False
    )


async def used_as_before(app: RunningApp) -> None:
    """Use everything that was sealed."""
    await send_signed(app, 3)
    assert (await app.hook("user", {"name": "one"})).ok
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    ended = await app.cmd("CompleteUserTaskCommand", instanceId=task["instanceId"], waitId=task["waitId"])
    assert ended["variables"]["password"] == SECRET
    begun = await start(app, "q", k="k")
    assert begun["variables"]["password"] == SECRET
    requests = await app.requests()
    assert {request["state"] for request in requests} == {"done"}


async def test_a_server_that_knows_the_former_key_only_is_noticed(tmp_path: Path) -> None:
    """What was sealed again could not be opened by it."""
    async with running_app(tmp_path, secret_key=OLD):
        keys = {"BPM_SECRET_KEY": NEW, "BPM_ACCEPTED_SECRET_KEY": OLD}
        refused = await rotate(BPM_DATA_DIR=tmp_path, **keys)
    assert refused.exit_code == 1
    assert "the server that started last seals by the key" in refused.output


async def test_a_key_in_the_data_folder_is_replaced(tmp_path: Path) -> None:
    """The former one lies beside it until it is removed; a second change waits for the first."""
    async with running_app(tmp_path) as app:
        await app.rule("user", commandName="CreateUserCommand", parameters={"password": SECRET, "username": "a"})
    former = (tmp_path / "secret.key").read_text()
    first = await rotate(BPM_DATA_DIR=tmp_path)
    assert "begin with `bpm rotate-key --new`" in first.output
    assert (await rotate("--new", BPM_DATA_DIR=tmp_path)).exit_code == 0
    assert (tmp_path / "accepted.key").read_text() == former
    assert (tmp_path / "secret.key").read_text() != former
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    assert "holds a former key already" in (await rotate("--new", BPM_DATA_DIR=tmp_path)).output
    done = await rotate(BPM_DATA_DIR=tmp_path)
    assert done.exit_code == 0, done.output
    assert "sealed 1 rows again" in done.output
    again = await rotate(BPM_DATA_DIR=tmp_path)
    assert "sealed 0 rows again" in again.output
    (tmp_path / "accepted.key").unlink()
    async with running_app(tmp_path) as app:
        assert (await app.hook("user", {})).ok
