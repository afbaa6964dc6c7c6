"""A script verifies what no scheme does: it sees signatures, no credential, and nothing that is kept shows them."""

import json
from typing import Any

import pytest

from bpm.security.secret_names import is_signature_header
from bpm.testing import RunningApp, running_app
from tests.attacks.test_sender_secrets import everything

PROOF = "proof-zq9x7-4711"
CREDENTIAL = "canary-zq9x7-4711"
SIGNATURES = ["X-Sig", "Stripe-Signature", "X-Hub-Signature-256", "X-Shopify-Hmac-SHA256", "X-Auth-Signature"]
CREDENTIALS = [
    "Authorization",
    "Cookie",
    "X-Api-Key",
    "X-Hook-Secret",
    "X-Signature-Key",
    "X-Hmac-Token",
    "X-Sign-Auth",
]
VERIFY = f"""\
if headers.get('x-sig') != '{PROOF}':
    reply(403, 'no')
    return 'unproven'
reply(200, 'yes')
return sorted(headers)
""".replace(PROOF, PROOF[:5] + "' + '" + PROOF[5:])  # the script itself is kept in clear
SCRIPT = {"executionType": 2, "executionCode": VERIFY, "responseMode": "sync"}

DRAFT = {"description": "d", "path": "own", "action": "POST", "isEnabled": True, **SCRIPT}


@pytest.fixture
async def app() -> Any:
    """An application of its own, so that all that it stored can be looked through."""
    async with running_app() as running:
        yield running


def sent() -> dict[str, str]:
    """Return a head with every signature and every credential."""
    return {**dict.fromkeys(SIGNATURES, PROOF), **dict.fromkeys(CREDENTIALS, CREDENTIAL)}


async def run_of(app: RunningApp) -> dict[str, Any]:
    """Return the newest recorded run."""
    (newest, *_) = (await app.cmd("GetCodeRunListQuery"))["items"]
    return await app.cmd("GetCodeRunByIdQuery", runId=newest["runId"])


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_a_script_sees_signatures_and_no_credential(app: RunningApp, mode: str) -> None:
    """At once and from the store alike."""
    await app.rule("own", **{**SCRIPT, "responseMode": mode})
    assert (await app.hook("own", {"a": 1}, sent())).status == 200
    await app.settled()
    seen = (await run_of(app))["outcome"]["result"]
    assert {name.lower() for name in SIGNATURES} <= set(seen)
    assert not {name.lower() for name in CREDENTIALS} & set(seen)


async def test_a_forged_request_does_not_use_up_the_id_of_the_genuine_one(app: RunningApp) -> None:
    """The script tells them apart by their signatures."""
    await app.rule("own", **SCRIPT, deduplication="body:id")
    assert (await app.hook("own", {"id": "evt_1"}, {"X-Sig": "bad"})).status == 403
    assert (await app.hook("own", {"id": "evt_1"}, {"X-Sig": PROOF})).status == 200


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_a_signature_is_kept_nowhere_in_clear(app: RunningApp, mode: str) -> None:
    """No table, request, run or line of the audit log shows what the script saw."""
    await app.rule("own", **{**SCRIPT, "responseMode": mode})
    await app.hook("own", {"a": 1}, {**sent(), "X-Copy": f"again {PROOF}"})
    await app.settled()
    kept = await everything(app)
    assert PROOF not in kept
    assert CREDENTIAL not in kept
    (line,) = (await app.cmd("GetAuditLogQuery", messageType="ExecuteCodeCommand"))["items"]
    assert line["fields"]["signatureHeaders"] == "***"


STEPS: list[dict[str, Any]] = [{"commandName": "PingQuery", "parameters": {}}]
WITHOUT_NEED: dict[str, dict[str, Any]] = {
    "signed": {"signature": {"scheme": "github", "secret": CREDENTIAL}},
    "chain": {"executionType": 1, "executionCode": None, "commandChain": STEPS},
}


@pytest.mark.parametrize("more", WITHOUT_NEED.values(), ids=WITHOUT_NEED)
async def test_who_need_not_verify_sees_no_signature(app: RunningApp, more: dict[str, Any]) -> None:
    """With a scheme the guard verifies, and nothing but a script can verify without one."""
    trial = await app.cmd(
        "TestWebHookConfigCommand",
        config={**DRAFT, **more},
        request={"body": {}, "headers": {"X-Sig": PROOF}},
    )
    assert "signatureHeaders" not in trial["outcome"]["message"]["fields"]
    assert PROOF not in json.dumps(trial["outcome"]["message"])


async def test_trials_show_no_signature(app: RunningApp) -> None:
    """A sample's reach the script and are hidden; those of a captured request don't reach it."""
    await app.rule("own", **SCRIPT)
    await app.hook("own", {"a": 1}, {"X-Sig": PROOF})
    (request,) = await app.requests()
    draft = {
        "description": "d",
        "path": "own",
        "action": "POST",
        "isEnabled": True,
        **SCRIPT,
        "executionCode": "return dict(headers)",
    }
    sample = {"body": {}, "headers": {"X-Sig": PROOF}}
    tried = await app.cmd("TestWebHookConfigCommand", config=DRAFT, request=sample)
    assert tried["outcome"]["data"]["reply"]["status"] == 200
    assert tried["outcome"]["message"]["fields"]["signatureHeaders"] == "***"
    tried = await app.cmd("TestWebHookConfigCommand", config=draft, requestId=request["requestId"])
    assert "x-sig" not in tried["outcome"]["data"]["result"]
    back = await app.cmd("BackTestWebHookConfigCommand", config=draft, runScripts=True)
    assert PROOF not in json.dumps([tried, back])


async def test_only_the_same_script_is_given_the_signatures_again(app: RunningApp) -> None:
    """A changed one would tell them to whoever wrote it."""
    await app.rule("own", **SCRIPT)
    await app.hook("own", {"a": 1}, {"X-Sig": PROOF})
    run = await run_of(app)
    again = await app.cmd("ReplayCodeCommand", runId=run["runId"])
    assert again["isSame"], again
    changed = await app.cmd("ReplayCodeCommand", runId=run["runId"], code="return dict(headers)")
    assert PROOF not in json.dumps(changed)
    assert "x-sig" not in changed["run"]["result"]
    assert PROOF not in json.dumps(run)


async def test_a_replayed_request_is_verified_again(app: RunningApp) -> None:
    """Its signature is opened for the script, as it came."""
    rule = {**DRAFT, "responseMode": "async"}
    made = await app.rule("own", **{**rule, "executionCode": "raise ValueError('not yet')"})
    await app.hook("own", {"a": 1}, {"X-Sig": PROOF})
    await app.settled()
    (request,) = await app.requests()
    await app.cmd("UpdateWebHookConfigCommand", id=made["id"], **rule)
    await app.cmd("ReplayInboundRequestCommand", requestId=request["requestId"])
    await app.settled()
    assert "x-sig" in (await run_of(app))["outcome"]["result"]


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_that_is_called_like_a_signature_is_none(name: str) -> None:
    """The last word decides, so that nobody is given the key by which others are verified."""
    assert not is_signature_header(name)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_that_is_called_like_a_credential_is_one(name: str) -> None:
    """It proves one body."""
    assert is_signature_header(name)
