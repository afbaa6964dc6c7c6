"""`hmac()` in a rule's templates: with the rule's own keys, which nobody sees and no neighbour uses."""

import hashlib
import hmac
from typing import Any

import pytest

from bpm.expressions import CLOCK, KEYS, EvaluationError, Signer, compile_expression
from bpm.testing import RunningApp
from router.rule_keys import RuleKeys
from tests.router.conftest import noting, rows, settled
from tests.router.test_execution import change_definition

pytestmark = pytest.mark.anyio

SECRET = "canary-of-the-partner"
SECRETS = [{"name": "partner", "secret": SECRET}]
SIGNED = '{{hmac(payload.text, "partner")}}'


def proof(text: str, algorithm: str = "sha256", secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), getattr(hashlib, algorithm)).hexdigest()


async def test_a_rule_signs_with_its_keys(app: RunningApp) -> None:
    """In the message's fields and in the answer."""
    response = {"headers": {"X-Proof": SIGNED}, "body": '{{hmac(payload.text, "partner", "sha512", "hex")}}'}
    fields: dict[str, Any] = {"parameters": {"event": "signs", "text": SIGNED}, "response": response}
    await noting(app, "signs", keys={"secrets": SECRETS}, **fields)
    answer = await app.hook("signs", {"text": "Ünï"})
    assert (answer.headers["x-proof"], answer.body) == (proof("Ünï"), proof("Ünï", "sha512"))
    await settled(app, "signs")
    (event,) = (await app.cmd("GetEventListQuery", event="signs"))["items"]
    assert event["data"]["text"] == proof("Ünï")


async def test_keys_are_sealed_and_kept(app: RunningApp) -> None:
    """Views, revisions and the database have no key; `***` keeps that of its name."""
    rule = await noting(app, "sealed-keys", keys={"secrets": SECRETS}, response={"body": SIGNED})
    assert rule["keys"] == {"secrets": [{"name": "partner", "secret": "***"}]}
    history = await app.cmd("GetWebHookConfigHistoryQuery", id=rule["id"])
    stored = await app.app.database.read(lambda tx: str(tx.connection.exec_driver_sql(EVERYTHING).all()))
    assert SECRET not in str(history) + stored
    more = [{"name": "other", "secret": "another-long-secret"}, {"name": "partner", "secret": "***"}]
    fields = {name: rule[name] for name in ("id", "description", "isEnabled", "path", "action", "commandName")}
    fields |= {"executionType": 0, "parameters": rule["parameters"], "response": rule["response"]}
    await app.cmd("UpdateWebHookConfigCommand", **fields, keys={"secrets": more})
    assert (await app.hook("sealed-keys", {"text": "a"})).body == proof("a")
    refused = await app.send("UpdateWebHookConfigCommand", {**fields, "keys": {"secrets": [{**more[1], "name": "x"}]}})
    assert "***" in str(refused.errors)


EVERYTHING = "SELECT definition FROM webhook_config UNION ALL SELECT definition FROM webhook_config_revision"


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"secrets": [{"name": "a", "secret": "short"}]}, "8 characters"),
        ({"secrets": SECRETS * 2}, "different names"),
        ({"secrets": []}, "secrets"),
    ],
)
async def test_keys_are_held_against_what_other_secrets_are(app: RunningApp, keys: Any, word: str) -> None:
    """Short ones are refused, and so are two of a name."""
    config = {"description": "d", "isEnabled": True, "path": "k", "action": "POST", "executionType": 0}
    draft = {**config, "commandName": "PingQuery", "keys": keys}
    answer = await app.send("TestWebHookConfigCommand", {"config": draft, "request": {}})
    assert word in str(answer.errors) + str(answer.data)


async def test_a_reference_is_read_only_where_it_may_be(app: RunningApp) -> None:
    """One that no rule may read is warned of when it is saved, and signs nothing."""
    keys = {"secrets": [{"name": "partner", "secret": "env:BPM_SECRET_KEY"}]}
    rule = await noting(app, "refers", keys=keys, response={"body": SIGNED})
    assert "may not be referred to" in str(rule["warnings"])
    assert (await app.hook("refers", {"text": "a"})).body["message"] == "Accepted"


async def test_conditions_and_neighbours_have_no_keys(app: RunningApp) -> None:
    """Strangers would choose what is signed, and one rule's condition could sign with another's key."""
    await noting(app, "keys-first", path="keys", when="true", order=2, keys={"secrets": SECRETS})
    when = 'hmac("a", "partner") != "x"'
    await noting(app, "keys-other", path="keys", when=when, order=1, keys={"secrets": SECRETS})
    await app.hook("keys", {})
    assert [row.config_key for row in await rows(app, path="keys")] == ["keys-first"]


async def test_keys_that_can_not_be_opened_refuse_everything(app: RunningApp) -> None:
    """As other secrets that were lost do."""
    rule = await noting(app, "lost-keys", keys={"secrets": SECRETS})
    await change_definition(app, rule, keys={"secrets": [{"name": "partner", "secret": "not sealed"}]})
    assert (await app.hook("lost-keys", {})).status == 503


@pytest.mark.parametrize("source", ["`hmac()`", "=`hmac()`", "`now()`", "[`hmac()`]", "{a: `hmac()`}"])
def test_no_name_reads_what_functions_are_given(source: str) -> None:
    """Keys, the seed and the clock are no values of the scope."""
    scope = {KEYS: Signer(RuleKeys([], str).sign), CLOCK: 1}
    with pytest.raises(EvaluationError, match="is missing"):
        compile_expression(source).evaluate(scope)


def test_a_payload_brings_no_keys() -> None:
    """A filter's element that has a field of that name is none."""
    scope = {"payload": [{"hmac()": "x"}]}
    with pytest.raises(EvaluationError, match="no keys here"):
        compile_expression('payload[hmac("a", "b") = "c"]').evaluate(scope)
