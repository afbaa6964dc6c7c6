"""Secrets of configurations: in clear for nobody but the verifier."""

from pathlib import Path
from typing import Any

import pytest

from bpm.accounts import Installation
from bpm.security.secrets import SecretBox
from bpm.signatures import SignatureConfig, sign
from bpm.testing import running_app
from router.config_secrets import map_secrets, open_definition, redacted_definition, with_stored_secrets
from tests.router.conftest import PROBES, noting, until

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a9c"
DEFINITION = {
    "path": "p",
    "signature": {"scheme": "github", "secret": "one", "secrets": ["two", "env:THREE"]},
    "handshake": {"kind": "meta", "verifyToken": "four"},
}


def test_every_secret_is_sealed_and_opened() -> None:
    """What is sealed holds no secret in clear but references, and opens to what it was."""
    box = SecretBox(b"k" * 32)
    sealed = map_secrets(DEFINITION, lambda text: text if text.startswith("env:") else box.encrypt(text))
    assert not any(f"'{secret}'" in str(sealed) for secret in ("one", "two", "four"))
    assert "env:THREE" in str(sealed)
    assert open_definition(sealed, box) == DEFINITION


def test_what_is_shown_has_no_secret() -> None:
    """In answers a secret is `***`, and a reference stays readable."""
    shown = redacted_definition(DEFINITION)
    assert shown["signature"] == {"scheme": "github", "secret": "***", "secrets": ["***", "env:THREE"]}
    assert shown["handshake"] == {"kind": "meta", "verifyToken": "***"}
    assert DEFINITION["signature"] == {"scheme": "github", "secret": "one", "secrets": ["two", "env:THREE"]}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"secret": "***", "secrets": ["***", "***"]}, {"secret": "one", "secrets": ["two", "env:THREE"]}),
        ({"secret": "new"}, {"secret": "new"}),
        ({"secrets": ["new", "***", "***"]}, {"secrets": ["new", "two", "env:THREE"]}),
        ({"secrets": ["***"]}, {"secrets": ["***"]}),
        ({"secrets": ["***", "new"]}, {"secrets": ["two", "new"]}),
    ],
)
def test_a_placeholder_keeps_what_is_stored(sent: dict[str, Any], kept: dict[str, Any]) -> None:
    """`***` stands for the stored secret in its place; one that can't be told is left to be refused."""
    merged = with_stored_secrets({"signature": sent}, DEFINITION)
    assert merged["signature"] == kept


@pytest.mark.embedded
async def test_a_secret_is_nowhere_in_clear(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """After creating, listing, changing, using and failing, no file and no answer holds a secret in clear."""
    shown: list[Any] = []
    async with running_app(tmp_path, command_packages=(PROBES,)) as app:
        github = {"scheme": "github", "secret": CANARY, "secrets": [f"{CANARY}-old"]}
        handshake = {"kind": "meta", "verifyToken": f"{CANARY}-token"}
        made = await noting(app, "sealed", signature=github, handshake=handshake)
        shown += [made, await app.cmd("GetWebHookConfigListQuery")]
        config = SignatureConfig.model_validate(github)
        for secret in (config, SignatureConfig.model_validate({**github, "secret": "another one"})):
            answer = await app.hook("sealed", b"{}", sign(secret, b"{}", 0))
            shown.append(answer.body)
        static = {"scheme": "bearer", "secret": f"{CANARY}-bearer"}
        await noting(app, "bearer", signature=static)
        answers = [await app.hook("bearer", {}, {"authorization": f"Bearer {CANARY}-{x}"}) for x in ("bearer", "no")]
        assert [answer.status for answer in answers] == [200, 401]
        again = {"id": made["id"], "description": "d", "isEnabled": True, "path": "sealed", "action": "POST"}
        kept = {"scheme": "github", "secret": "***", "secrets": ["***"]}
        shown.append(
            await app.cmd(
                "UpdateWebHookConfigCommand",
                **again,
                executionType=0,
                commandName="NoteCommand",
                parameters={"event": "sealed"},
                signature=kept,
            )
        )
        accepted = await app.hook("sealed", b"{}", sign(config, b"{}", 0))
        assert accepted.status == 200
        shown.append(await app.cmd("GetWebHookConfigHistoryQuery", id=made["id"]))
        shown.append(await app.cmd("GetAuditLogQuery", pageSize=200))
        for request in await app.requests():
            shown.append(await app.cmd("GetInboundRequestByIdQuery", requestId=request["requestId"]))
    assert len(shown) > 10
    assert CANARY not in str(shown)
    assert_not_in_files(tmp_path)
    assert CANARY not in "".join(capfd.readouterr())


def assert_not_in_files(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "bpm.db" for path in files)
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_secrets_that_can_not_be_opened_stop_new_requests_only(tmp_path: Path, mode: str) -> None:
    """With another installation's key a rule refuses visibly, stores no secret header, and still does what it took."""
    static = {"scheme": "custom", "type": "static", "encoding": "text", "header": "X-Shop", "secret": CANARY}
    retry = {"attempts": 9, "backoffSeconds": [0.5], "jitter": 0.0}
    stumble = {"commandName": "StumbleCommand", "parameters": {"event": f"opened-{mode}", "times": 1}}
    settings: dict[str, Any] = {"command_packages": (PROBES,), "access_token_seconds": 60}
    async with running_app(tmp_path, secret_key="a" * 40, **settings) as app:
        await app.rule("shop", signature=static, **stumble, retry=retry, responseMode=mode)
        first = await app.hook("shop", {}, {"x-shop": CANARY})
        assert first.status == (200 if mode == "async" else 422)
        await Installation(app.app.database, b"b" * 40).adopt()
    async with running_app(tmp_path, secret_key="b" * 40, **settings) as app:
        assert (await app.hook("shop", {}, {"x-shop": CANARY})).status == 503
        await until(app, "shop", "quarantined", "done" if mode == "async" else "failed")
        whole = [await app.cmd("GetInboundRequestByIdQuery", requestId=r["requestId"]) for r in await app.requests()]
        assert CANARY not in str(whole)
