"""Secrets of deliveries: how they are made, and which are taken."""

import base64

import pytest

from bpm.events.signing import SecretFormatError, check_secret, new_key, new_secret, verifying_key
from bpm.signatures.key_pairs import WHSK, jwk_of, public_key_of


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


def test_what_a_receiver_is_given() -> None:
    """The shared secret itself, but of a key pair the public half."""
    private = new_key(has_key_pair=True)
    assert verifying_key(private) == public_key_of(private)
    assert verifying_key(private).startswith("whpk_")
    shared = new_key(has_key_pair=False)
    assert verifying_key(shared) == shared


def test_a_public_key_as_jwk() -> None:
    """The key of RFC 8037's example, with the thumbprint that stands there (appendices A.2 and A.3)."""
    seed = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    assert jwk_of(WHSK + base64.b64encode(seed).decode()) == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "use": "sig",
    }
