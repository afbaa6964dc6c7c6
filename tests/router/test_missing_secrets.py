"""A rule whose secret can't be had: no sender is told that it signs wrongly, and who runs it learns what is missing."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from bpm.client import Reply
from bpm.testing import RunningApp, running_app
from bpm.testing.clock import Clock
from tests.router.conftest import stored

pytestmark = pytest.mark.anyio

SECRET = "a secret of the tests"
HEADER = "X-Token"


@pytest.fixture
def clock() -> Clock:
    """A clock that the test moves."""
    return Clock()


@pytest.fixture
async def app(tmp_path: Path, clock: Clock) -> AsyncIterator[RunningApp]:
    """An application with a folder of secrets that is empty."""
    async with running_app(clock=clock, references={"folder": tmp_path}) as running:
        yield running


async def rule(app: RunningApp, key: str, **signature: Any) -> dict[str, Any]:
    """Create a rule that proves its senders by a header with one of the secrets."""
    scheme = {"scheme": "custom", "type": "static", "header": HEADER}
    return await app.rule(key, commandName="PingQuery", signature={**scheme, **signature})


async def send(app: RunningApp, key: str, secret: str = SECRET) -> Reply:
    return await app.hook(key, {}, {HEADER: secret})


async def look(app: RunningApp) -> dict[str, Any]:
    """Have the secrets looked at as is done every few seconds, and return what `/readyz` says."""
    await app.app.components.routing.secrets.look()
    return (await app.request("GET", "/readyz", headers={"Authorization": f"Bearer {app.token}"})).body


async def told(app: RunningApp) -> list[dict[str, Any]]:
    """Return what was published, the newest first."""
    return [event["data"] for event in (await app.cmd("GetEventListQuery", event="webhook.secret.missing"))["items"]]


async def test_the_sender_is_asked_to_try_again(app: RunningApp, tmp_path: Path) -> None:
    """Also one that signs wrongly: nobody can tell. What came is kept, and once the secret is there it counts."""
    await rule(app, "lacking", secret="file:lacking")
    for secret in (SECRET, "wrong"):
        answer = await send(app, "lacking", secret)
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert answer.errors == ["The webhook can't be used just now; send the request again"]
    kept = await stored(app, "lacking")
    assert {(each["state"], each["verdict"]) for each in kept} == {("quarantined", "broken")}
    assert "BPM_REFERENCES__FOLDER" in kept[0]["errors"][0]
    (tmp_path / "lacking").write_text(SECRET)
    await look(app)
    assert (await send(app, "lacking")).status == 200
    assert (await send(app, "lacking", "wrong")).status == 401
    replayed = [(await app.cmd("ReplayInboundRequestCommand", requestId=each["requestId"])) for each in kept]
    assert len(replayed) == 2
    await app.settled()
    assert sorted(each["verdict"] for each in await stored(app, "lacking"))[:1] == ["passed"]


async def test_one_of_several_secrets(app: RunningApp, tmp_path: Path) -> None:
    """What another proves passes; what none proves may have been made with the missing one."""
    await rule(app, "rotated", secrets=[SECRET, "file:next"])
    assert (await send(app, "rotated")).status == 200
    assert (await send(app, "rotated", "the next secret")).status == 503
    await look(app)
    (tmp_path / "next").write_text("the next secret")
    await look(app)
    assert [(await send(app, "rotated", secret)).status for secret in (SECRET, "the next secret", "x")] == [
        200,
        200,
        401,
    ]


async def test_what_is_missing_is_told(app: RunningApp, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `/readyz`, the log, a metric and once an hour an event, until it is there or nobody needs it."""
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    lacking = await rule(app, "unset", secret="env:NO_SUCH_SECRET")
    assert (await look(app))["status"] == "degraded"
    with structlog.testing.capture_logs() as lines:
        said = await look(app)
    assert not [line for line in lines if line.get("rule") == "unset"]  # it was told the first time
    sentence = said["checks"]["secrets"]["detail"]
    assert "unset: env:NO_SUCH_SECRET: the environment variable 'NO_SUCH_SECRET' is not set" in sentence
    metrics = await app.request("GET", "/metrics", headers={"Authorization": f"Bearer {app.token}"})
    assert "bpm_rules_without_secret 1" in metrics.body
    assert [event["configKey"] for event in await told(app)] == ["unset"]
    clock.advance(timedelta(hours=1))
    await app.login()
    await look(app)
    assert len(await told(app)) == 2
    await app.cmd("DeactivateWebHookConfigCommand", id=lacking["id"])
    assert (await look(app))["checks"]["secrets"]["ok"] is True
    await app.cmd("ActivateWebHookConfigCommand", id=lacking["id"])
    monkeypatch.setenv("NO_SUCH_SECRET", SECRET)
    assert (await look(app))["status"] == "ready"


async def test_a_secret_that_is_no_signature_s(app: RunningApp) -> None:
    """The token of a handshake and the keys of templates are looked at as well."""
    handshake = {"kind": "meta", "verifyToken": "file:token"}
    await app.rule("greets", commandName="PingQuery", handshake=handshake)
    assert "greets: file:token: " in (await look(app))["checks"]["secrets"]["detail"]


async def test_a_file_that_changes_counts(app: RunningApp, tmp_path: Path) -> None:
    """Without a restart and without saving the rule; while it is away, the last one does."""
    secret = tmp_path / "turned"
    secret.write_text(SECRET)
    await rule(app, "turned", secret="file:turned")
    await rule(app, "beside", secret=SECRET)
    assert (await send(app, "turned")).status == 200
    await look(app)
    with structlog.testing.capture_logs() as lines:
        for text in ("the second secret", "the third secret"):
            secret.unlink()
            await look(app)
            secret.write_text(text)
            await look(app)
            assert [(await send(app, "turned", each)).status for each in (SECRET, text)] == [401, 200]
    assert [line["rule"] for line in lines if "has changed" in line["event"]] == ["turned", "turned"]
    assert SECRET not in str(lines)
    secret.unlink()
    await look(app)
    assert (await send(app, "turned", "the third secret")).status == 200
    assert (await send(app, "beside")).status == 200


async def test_a_secret_that_kubernetes_mounts_counts_when_it_changes(app: RunningApp, tmp_path: Path) -> None:
    """All files of a mounted secret are links through one folder, which is exchanged by moving a link."""
    for version, secret in (("..1", SECRET), ("..2", "the second secret")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "shop").write_text(secret)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "shop").symlink_to("..data/shop")
    await rule(app, "mounted", secret="file:shop")
    assert (await send(app, "mounted")).status == 200
    await look(app)
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    await look(app)
    assert [(await send(app, "mounted", each)).status for each in (SECRET, "the second secret")] == [401, 200]
