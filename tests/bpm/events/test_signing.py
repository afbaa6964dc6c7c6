"""Deliveries are signed so that independent libraries accept them."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from bpm.events.signing import (
    SecretFormatError,
    check_secret,
    new_secret,
    plandocket_headers,
    standard_headers,
)


@given(st.dictionaries(st.text(), st.text()))
def test_the_standards_library_accepts_a_signature(data: dict[str, str]) -> None:
    """Whatever the body, each of several secrets verifies it and another does not."""
    body = json.dumps(data).encode()
    mine = [new_secret(), new_secret()]
    headers = standard_headers(mine, "evt_1", int(time.time()), body)
    for secret in mine:
        assert Webhook(secret).verify(body, headers) == data
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(mine[0]).verify(body + b" ", headers)


def test_plandocket_signs_its_own_way() -> None:
    """Hex HMAC-SHA256 of timestamp and body by the text of the newest secret, after `v1=`."""
    headers = plandocket_headers(["whsec_key", "old"], 1700000000, b'{"a":1}')
    assert headers == {
        "X-Webhook-Signature": "v1=f362a8a8618b4e90aaa6e2c3e3db13524b4eb1f35d6b54deb0ad7bb4fadb46f5",
        "X-Webhook-Timestamp": "1700000000",
    }


def test_secrets_are_long_and_new() -> None:
    """A secret is `whsec_` and 256 random bits, never the same."""
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(base64.b64decode(check_secret(secret).removeprefix("whsec_"))) == 32 for secret in made)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_abc", "secret", "whsec_" + "A" * 20, "whsec_" + "A" * 120])
def test_other_secrets_are_refused(secret: str) -> None:
    """What is too short, too long or not base64 is no secret."""
    with pytest.raises(SecretFormatError, match="24 to 64 bytes"):
        check_secret(secret)
