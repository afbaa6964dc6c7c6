"""A change of the key: what the former one sealed is sealed by the present one, and nothing else is touched."""

import json

import pytest

from bpm.security.resealing import Resealing
from bpm.security.secrets import SecretBox, SecretError

FORMER, PRESENT = SecretBox(b"f" * 32), SecretBox(b"p" * 32)
RESEALING = Resealing(FORMER, PRESENT)


def test_a_text_is_sealed_again_wherever_it_stands() -> None:
    """Whole, within JSON, within JSON in JSON, and within what is sealed itself."""
    inner = FORMER.encrypt("inner")
    within = json.dumps({"a": ["sealed:" + inner, json.dumps({"b": inner})], "sealed": FORMER.encrypt(inner)})
    again = RESEALING.text(within)
    assert FORMER.prefix not in again
    fields = json.loads(again)
    assert PRESENT.decrypt(fields["a"][0].removeprefix("sealed:")) == "inner"
    assert PRESENT.decrypt(json.loads(fields["a"][1])["b"]) == "inner"
    assert PRESENT.decrypt(PRESENT.decrypt(fields["sealed"])) == "inner"
    assert PRESENT.decrypt(RESEALING.text(inner)) == "inner"


def test_bytes_are_sealed_again_whole() -> None:
    """What only mentions the mark is no sealed value."""
    assert PRESENT.decrypt_bytes(RESEALING.data(FORMER.encrypt_bytes(b"\x00\xff"))) == b"\x00\xff"
    mention = b"see " + FORMER.encrypt_bytes(b"x")
    assert RESEALING.data(mention) == mention


@pytest.mark.parametrize("ending", ["", "AAAA", "AAAA" * 20 + "=", "!!"])
def test_what_only_looks_sealed_stays_as_it_is(ending: str) -> None:
    """Somebody wrote it, or it was damaged: the former key does not open it."""
    assert RESEALING.text(FORMER.prefix + ending) == FORMER.prefix + ending
    assert RESEALING.text(f'{{"a":"{PRESENT.encrypt("x")}"}}').count(PRESENT.prefix) == 1


def test_an_accepted_key_opens_and_never_seals() -> None:
    """Both keys open while the key is changed; a third one does not."""
    both = SecretBox(b"p" * 32, b"f" * 32)
    assert both.decrypt(FORMER.encrypt("x")) == both.decrypt(PRESENT.encrypt("x")) == "x"
    assert both.decrypt_bytes(FORMER.encrypt_bytes(b"x")) == b"x"
    assert both.encrypt("x").startswith(PRESENT.prefix)
    assert both.fingerprints("x") == (PRESENT.fingerprint("x"), FORMER.fingerprint("x"))
    with pytest.raises(SecretError, match="sealed with another key"):
        both.decrypt(SecretBox(b"t" * 32).encrypt("x"))
