"""How a subscription is signed: chosen, changed, rotated; private keys are never shown."""

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from bpm.app import Components
from bpm.errors import Invalid
from bpm.events import subscription_tables
from bpm.events.sealing import open_secrets
from bpm.events.signature_style import SignatureStyle
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.signatures.message_signatures import SignedMessage
from tests.commands.sender import MessageSender

pytestmark = pytest.mark.anyio

KEY_PAIR = {"scheme": "standard-webhooks-v1a"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No probe: the receivers of these tests do not exist."""
    delivery: Any = {"probe": "off"}
    return Settings(data_dir=tmp_path, delivery=delivery)


@pytest.fixture
def box(components: Components) -> SecretBox:
    """What opens the stored secrets."""
    return components.foundation.box


async def create(sender: MessageSender, **fields: Any) -> dict[str, Any]:
    """Create a subscription."""
    given = {"url": "https://hooks.example.com/in", "events": ["task.created"], **fields}
    return await sender.send_fields("CreateSubscriptionCommand", given)


async def secrets_of(sender: MessageSender, box: SecretBox, id_: int) -> list[str]:
    """The secrets as they are stored, opened."""
    row = await sender.database.read(lambda tx: subscription_tables.subscription_row(tx, id_))
    assert row is not None
    return [kept.secret for kept in open_secrets(row.secrets, box)]


async def test_a_signature_is_shown_as_it_was_chosen(sender: MessageSender, box: SecretBox) -> None:
    """With nothing added; without one there is none."""
    chosen = {"scheme": "custom", "header": "X-Sign", "signedContent": "{timestamp}.{body}", "inside": "t="}
    made = await create(sender, signature=chosen)
    assert (made["signature"], made["publicKeys"]) == (chosen, [])
    assert made["secret"].startswith("whsec_")
    plain = await sender.send("UpdateSubscriptionCommand", id=made["id"], signature=None)
    assert plain["signature"] is None
    assert await secrets_of(sender, box, made["id"]) == [made["secret"]]


async def test_a_private_key_is_never_shown(sender: MessageSender, box: SecretBox) -> None:
    """Not when it is made, nor in lists, nor when it is exchanged; the public half is shown everywhere."""
    made = await create(sender, signature=KEY_PAIR)
    (key,) = made["publicKeys"]
    assert made["secret"] == key["key"]
    assert key["jwk"]["x"] == base64.urlsafe_b64encode(base64.b64decode(key["key"][5:])).rstrip(b"=").decode()
    rotated = await sender.send("RotateSubscriptionSecretCommand", id=made["id"])
    assert rotated["signedWith"] == "each"
    shown = await sender.send("GetSubscriptionByIdQuery", id=made["id"])
    assert [key["key"] for key in shown["publicKeys"]] == [rotated["secret"], made["secret"]]
    assert [key["expiresAt"] is None for key in shown["publicKeys"]] == [True, False]
    answers = json.dumps([made, rotated, shown, await sender.send("GetSubscriptionListQuery")], default=str)
    for private in await secrets_of(sender, box, made["id"]):
        assert private.startswith("whsk_")
        assert private.partition("_")[2] not in answers


async def test_another_kind_of_key_is_made(sender: MessageSender, box: SecretBox) -> None:
    """A secret that the receiver knows never becomes a private key, and the other way round."""
    made = await create(sender)
    changed = await sender.send("UpdateSubscriptionCommand", id=made["id"], signature=KEY_PAIR)
    (private,) = await secrets_of(sender, box, made["id"])
    assert private.startswith("whsk_")
    assert len(changed["publicKeys"]) == 1
    same = {"scheme": "http-message-signatures"}
    kept = await sender.send("UpdateSubscriptionCommand", id=made["id"], signature=same)
    assert kept["publicKeys"] == changed["publicKeys"]
    await sender.send("UpdateSubscriptionCommand", id=made["id"], signature={"scheme": "github"})
    (shared,) = await secrets_of(sender, box, made["id"])
    assert shared.startswith("whsec_")
    assert shared != made["secret"]
    rotated = await sender.send("RotateSubscriptionSecretCommand", id=made["id"])
    assert rotated["signedWith"] == "newest"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"signature": {"scheme": "nobody"}}, "signature: scheme must be"),
        ({"signature": {"scheme": "gitlab"}}, "can't be signed as gitlab signs"),
        ({"signature": {"scheme": "github", "secret": "x"}}, "signature.secret"),
        ({"signature": KEY_PAIR, "secret": "whsec_" + "A" * 44}, "leave the secret out"),
        (
            {"signature": KEY_PAIR, "dialect": "plandocket", "events": ["contact.created"]},
            "plandocket signs with a shared secret",
        ),
    ],
)
async def test_a_wrong_signature_is_refused(sender: MessageSender, fields: dict[str, Any], sentence: str) -> None:
    """With the field's name and what to do."""
    with pytest.raises(Invalid) as raised:
        await create(sender, **fields)
    assert any(sentence in error for error in raised.value.errors), raised.value.errors


OWN = "my-receivers-own-secret"


async def test_a_receivers_own_secret(sender: MessageSender, box: SecretBox) -> None:
    """Where a secret's whole text is the key, it may be the one that the receiver has already."""
    made = await create(sender, signature={"scheme": "github"}, secret=OWN)
    assert await secrets_of(sender, box, made["id"]) == [OWN]
    style = SignatureStyle.model_validate({"scheme": "github"})
    sent = style.headers([OWN], SignedMessage("https://hooks.example.com/in", "application/json", "e", b"{}"), 0)
    assert sent["X-Hub-Signature-256"] == f"sha256={hmac.digest(OWN.encode(), b'{}', 'sha256').hex()}"
    other = "another-secret-of-theirs"
    await sender.send("RotateSubscriptionSecretCommand", id=made["id"], secret=other)
    assert await secrets_of(sender, box, made["id"]) == [other, OWN]


@pytest.mark.parametrize("style", [None, {"scheme": "http-message-signatures", "algorithm": "hmac-sha256"}])
async def test_a_text_signs_nothing_that_wants_another_key(
    sender: MessageSender, box: SecretBox, style: dict[str, Any] | None
) -> None:
    """It is refused where it is brought, and gives way to a new secret where the signature is changed."""
    made = await create(sender, signature={"scheme": "github"}, secret=OWN)
    with pytest.raises(Invalid, match="secret: must be whsec_"):
        await create(sender, signature=style, secret=OWN)
    await sender.send("UpdateSubscriptionCommand", id=made["id"], signature=style)
    (fresh,) = await secrets_of(sender, box, made["id"])
    assert fresh.startswith("whsec_")
    with pytest.raises(Invalid, match="secret: must be whsec_"):
        await sender.send("RotateSubscriptionSecretCommand", id=made["id"], secret=OWN)


@pytest.mark.parametrize("secret", ["too-short", " with-a-blank-before", "whsec_no-base64-at-all", "whsk_" + "A" * 44])
async def test_a_text_that_is_no_secret(sender: MessageSender, secret: str) -> None:
    """Short ones can be guessed, and keys of our forms are what they say."""
    with pytest.raises(Invalid, match="secret: must be whsec_"):
        await create(sender, signature={"scheme": "github"}, secret=secret)
