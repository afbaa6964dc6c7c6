"""Nothing but the proof itself is taken for it: forty variants of every preset's signature, and twenty of its time."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator

import pytest

from bpm.signatures import Scheme, SignatureConfig, compile_signature
from tests.bpm.signatures.test_presets import SIGNED, Case, case_of, scheme_of

WHOLE = ("signature", "secret", "***", "null", "None", "0", "", " ", ",", "Bearer", "Basic", "sha256=", "v1,", "v1=")
DIGEST, HEX = re.compile(r"[0-9A-Za-z+/_-]{40,}"), re.compile(r"[0-9A-Fa-f]+")
JUNK = "v1," + base64.b64encode(b"j" * 32).decode()


def variants(good: str, body: bytes) -> Iterator[str]:
    """Yield what an attacker may try in place of a proof, or around one that was good for another request."""
    prefix = good[: good.find("=") + 1] if "=" in good.rstrip("=") else ""
    yield from WHOLE
    for digest in (hashlib.sha1(body, usedforsecurity=False), hashlib.sha256(body), hmac.new(b"", body, "sha256")):
        yield prefix + digest.hexdigest()
        yield prefix + base64.b64encode(digest.digest()).decode()
    yield prefix
    yield prefix + "0" * 64
    yield " ".join([JUNK] * 25)
    yield "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in good)
    digests = DIGEST.findall(good)
    is_hex = all(map(HEX.fullmatch, digests))
    if len(digests) == 1:  # of several another may be right
        yield from (good + "00", good + "\0", f'"{good}"')
        yield from (good[:-2], good[1:], good.replace("+", "-").replace("/", "_")[:-1] + "-")
    if not is_hex:  # the letters of hex may be large or small
        yield good.swapcase()
    if len(digests) == 1 and (is_hex or good.endswith("=")):  # base64 may have its padding or not
        yield good + "="


def times(good: str) -> Iterator[str]:
    """Yield texts that some reader takes for a time."""
    yield from ("", "0", "-1", "nan", "inf", "1e9", "0x6B49D200", "9" * 12, "9" * 13, "2026-01-01", "now")
    yield from (f"+{good}", f" {good}", f"{good} ", f"0{good}", f"{good}.0", f"{good}, {good}", good + "0", good[:-1])
    yield "".join(chr(0x660 + int(c)) if c.isascii() and c.isdigit() else c for c in good)


def form_of(name: str) -> Scheme:
    """Return the form of a preset that its example has."""
    return scheme_of(case_of(name))


def is_taken(case: Case) -> bool:
    """Tell whether the request passes."""
    return case.explained().ok


@pytest.mark.parametrize("name", [name for name in SIGNED if form_of(name).signature_place.startswith("header:")])
def test_no_variant_of_a_proof_is_taken(name: str) -> None:
    """In the header of its signature, key or token; elsewhere every change is another body."""
    case = case_of(name)
    place = scheme_of(case).signature_place
    good = case.value(place)
    taken = [text for text in variants(good, case.body) if text != good and is_taken(case.with_value(place, text))]
    assert not taken


@pytest.mark.parametrize("name", [name for name in SIGNED if form_of(name).timestamp_header])
def test_no_variant_of_a_time_is_taken(name: str) -> None:
    """A time that is signed may be written in one way."""
    case = case_of(name)
    header = scheme_of(case).timestamp_header.lower()
    good = case.headers[header]
    taken = [text for text in times(good) if text != good and is_taken(case.with_value(f"header:{header}", text))]
    assert not taken


@pytest.mark.parametrize("reference", ["env:BPM_TEST_EMPTY", "env:BPM_TEST_UNSET", "file:/dev/null"])
@pytest.mark.parametrize("scheme", ["github", "bearer", "standard-webhooks", "stripe"])
def test_an_empty_secret_lets_nobody_in(scheme: str, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference that leads to nothing is no key that everybody knows."""
    monkeypatch.setenv("BPM_TEST_EMPTY", "")
    checker = compile_signature(SignatureConfig(scheme=scheme, secret=reference), lambda _reference: "")
    body = b"{}"
    empty = hmac.new(b"", body, "sha256").hexdigest()
    for proof in ("", "Bearer ", "Bearer", f"sha256={empty}", f"t=1800000000,v1={empty}", f"v1,{empty}"):
        headers = {"x-hub-signature-256": proof, "authorization": proof, "stripe-signature": proof}
        headers |= {"webhook-signature": proof, "webhook-id": "m", "webhook-timestamp": "1800000000"}
        assert not checker.verify(body, headers, 1_800_000_000.0).ok
