"""Requests that others have signed: examples of documentation and of the tests of providers' own libraries.

A preset that refuses one of them is wrong, whatever its own example says.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bpm.signatures import DETAILS, PRESETS, STORED, PresetExample, RequestAddress, SignatureConfig
from tests.bpm.signatures.test_presets import NAMES, Case
from tests.bpm.signatures.test_provider_libraries import LIBRARIES

VECTORS: dict[str, list[dict[str, Any]]] = tomllib.loads((Path(__file__).parent / "vectors.toml").read_text())
NUMBERED = [(name, number) for name, vectors in VECTORS.items() for number in range(len(vectors))]


def case_of_vector(name: str, number: int) -> Case:
    """The request as it was signed; secrets that are too short to be saved today count here."""
    vector = PresetExample(**VECTORS[name][number])
    secret = {"secret": vector.secret} if vector.secret else {}
    config = SignatureConfig.model_validate({"scheme": name, **secret, **vector.more}, context=STORED)
    headers = {header.lower(): value for header, value in vector.headers.items()}
    address = RequestAddress(vector.method, vector.path, vector.query, vector.base)
    return Case(config, headers, vector.body.encode(), address, vector.now, dict(vector.published))


@pytest.mark.parametrize(("name", "number"), NUMBERED)
def test_what_others_have_signed_is_right(name: str, number: int) -> None:
    """And is wrong with another body, where the provider signs that."""
    case = case_of_vector(name, number)
    found = case.explained()
    assert found.ok, (found.cause, found.hints)
    if PRESETS[name].kind != "static":
        changed = bytes([*case.body[:-3], case.body[-3] ^ 1, *case.body[-2:]]) if case.body else b"x"
        assert not case._replace(body=changed).explained().ok or PRESETS[name].reads_fields


HAND = "made by hand"
NOTHING_TO_SIGN = ("none", "static")

BY_HAND = {
    "akeneo", "alchemy", "dlocal", "fincra", "flutterwave-v4", "interswitch", "korapay", "midtrans",
    "midtrans-payouts", "moniepoint", "nomba", "opay", "paga", "plaid", "plandocket", "squad",
    "standard-webhooks-v1a", "sumsub", "veriff", "worldpay",
}  # fmt: skip
"""Presets that only their documentation speaks for: nobody else's signature has been found for them yet."""


def test_most_presets_are_checked_by_others() -> None:
    """The ones that are not are known by name, so that there are never more."""
    unchecked = {
        name
        for name in NAMES
        if name not in VECTORS
        and name not in LIBRARIES
        and PRESETS[name].kind not in NOTHING_TO_SIGN
        and (example := DETAILS[name].example) is not None
        and example.source == HAND
    }
    assert unchecked == BY_HAND
    assert set(VECTORS) <= set(NAMES)
