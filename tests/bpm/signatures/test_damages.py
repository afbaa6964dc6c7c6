"""The table of damages: what the doctor names for each preset, when a request that was right is damaged.

`damages.toml` has a row a preset: which part the doctor must name for each damage. `-` stands where a preset has no
such part, `accepted` where the damage changes nothing that is signed. A new preset has a row too, or the tests fail.
"""

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, urlencode

import pytest

from bpm.signatures import DETAILS, PRESETS, Explanation, Scheme, SignatureConfig, SignedRequest
from bpm.signatures.signed_content import covers_body
from bpm.signatures.signed_request import finder, parse_place
from bpm.signatures.stamps import read_stamp, shifted_stamp
from tests.bpm.signatures.signing_keys import pair
from tests.bpm.signatures.test_presets import (
    NAMES,
    SIGNED,
    Case,
    case_of,
    other_secret,
    scheme_of,
    stamp_of,
    tampered_bodies,
    with_stamp,
)

FILE = Path(__file__).parent / "damages.toml"
TABLE: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text())
NONE, ACCEPTED = "-", "accepted"
TOKEN_SECONDS = 3_700
"""How old a token of the examples is when it has expired."""


class Damage(NamedTuple):
    """What is done to a request, what the doctor's cause or hint must say of it, and of each part that it may name."""

    name: str
    damaged: Callable[[Case], Iterator[Case]]
    said: dict[str, str]


def places_of(case: Case) -> list[str]:
    scheme = scheme_of(case)
    return [place for place in (scheme.signature_place, scheme.timestamp_place, scheme.id_place) if place]


def with_another_body(case: Case) -> Iterator[Case]:
    yield from tampered_bodies(case)
    if not proves_body(scheme_of(case)):
        yield case._replace(body=case.body + b" ")


def proves_body(scheme: Scheme) -> bool:
    if scheme.kind == "jwt":
        return bool(scheme.body_claim)
    return scheme.kind != "static" and covers_body(scheme.signed_content)


def with_another_stamp(case: Case) -> Iterator[Case]:
    scheme = scheme_of(case)
    if scheme.has_timestamp:
        for seconds in (1, -1):
            yield with_stamp(case, shifted_stamp(stamp_of(case), scheme.timestamp_format, seconds))


def with_no_stamp(case: Case) -> Iterator[Case]:
    if scheme_of(case).has_timestamp:
        for garbage in ("now", "-1", "0x5"):
            yield with_stamp(case, garbage)


def at_another_time(case: Case) -> Iterator[Case]:
    """Past the tolerance, in both directions."""
    scheme = scheme_of(case)
    if scheme.has_timestamp or scheme.kind == "jwt":
        seconds = max(scheme.tolerance_seconds, TOKEN_SECONDS if scheme.kind == "jwt" else 0) + 60
        yield case._replace(now=case.now + seconds)
        yield case._replace(now=case.now - seconds)


def with_another_key(case: Case) -> Iterator[Case]:
    said = case.config.model_dump(by_alias=True, exclude_unset=True)
    if PRESETS[case.config.scheme].keys_url:
        case = case._replace(published=dict.fromkeys(case.published, pair("rsa", 9).public))
        said |= {"secret": pair("rsa", 8).public}
    else:
        said |= other_secret(case)
    yield case._replace(config=SignatureConfig.model_validate(said))


def with_a_part_missing(case: Case) -> Iterator[Case]:
    for place in places_of(case):
        kind, _, name = place.partition(":")
        if kind == "header":
            kept = {header: value for header, value in case.headers.items() if header != name.lower()}
            yield case._replace(headers=kept)
        else:
            yield case.with_value(place, "")


def with_a_part_twice(case: Case) -> Iterator[Case]:
    """As a server joins two headers of a name, and as a form and a query hold a name twice."""
    for place in places_of(case):
        kind, _, name = place.partition(":")
        value = case.value(place)
        if kind == "header":
            yield case.with_value(place, f"{value}, {value}")
        elif kind == "query":
            yield case._replace(address=case.address._replace(query=f"{case.address.query}&{case.address.query}"))
        elif SignedRequest(b"", case.headers).is_form:
            yield case._replace(body=case.body + b"&" + urlencode({name: value}).encode())


def with_parts_reordered(case: Case) -> Iterator[Case]:
    """The parts of the signature's own text, as of a list."""
    scheme = scheme_of(case)
    if scheme.separator:
        parts = case.value(scheme.signature_place).split(scheme.separator)
        if len(parts) > 1:
            yield case.with_value(scheme.signature_place, scheme.separator.join(reversed(parts)))


def with_fields_reordered(case: Case) -> Iterator[Case]:
    """The same fields of the body in another order: it means the same, but the bytes are others."""
    if SignedRequest(b"", case.headers).is_form:
        fields = parse_qsl(case.body.decode(), keep_blank_values=True)
        if len(fields) > 1:
            yield case._replace(body=urlencode(fields[::-1]).encode())
        return
    try:
        value: Any = json.loads(case.body)
    except ValueError:
        return
    items = cast("list[dict[str, Any]]", value if isinstance(value, list) else [value])
    if len(items[0]) > 1:
        turned = [dict(reversed(items[0].items())), *items[1:]]
        body = json.dumps(turned if isinstance(value, list) else turned[0], separators=(",", ":"))
        yield case._replace(body=body.encode())


def with_parameters_reordered(case: Case) -> Iterator[Case]:
    query = case.address.query.split("&")
    if len(query) > 1:
        yield case._replace(address=case.address._replace(query="&".join(reversed(query))))


DAMAGES = [
    Damage("body", with_another_body, {"signature": "body", "body": "body", "timestamp": "time", "header": "missing"}),
    Damage("stamp", with_another_stamp, {"timestamp": "changed on the way", "signature": "body"}),
    Damage("garbage", with_no_stamp, {"timestamp": "time"}),
    Damage("old", at_another_time, {"timestamp": "the timestamp is|token"}),
    Damage("key", with_another_key, {"signature": "secret", "secret": "certificate|key"}),
    Damage("missing", with_a_part_missing, dict.fromkeys(("header", "body", "query", "timestamp"), "missing")),
    Damage("doubled", with_a_part_twice, dict.fromkeys(("header", "body", "query"), "more than once")),
    Damage("parts", with_parts_reordered, {"timestamp": "first in"}),
    Damage("fields", with_fields_reordered, {"signature": "body", "body": "body"}),
    Damage("parameters", with_parameters_reordered, {"signature": "address"}),
]


def named(found: Explanation) -> str:
    return ACCEPTED if found.ok else found.failed


def row_of(name: str) -> dict[str, str]:
    """What the doctor names for each damage of a preset's example; several parts in the order of the places."""
    case = case_of(name)
    row: dict[str, str] = {}
    for damage in DAMAGES:
        found = [named(damaged.explained()) for damaged in damage.damaged(case)]
        is_by_place = damage.name in ("missing", "doubled")
        row[damage.name] = " ".join(found if is_by_place else dict.fromkeys(found)) or NONE
    return row


@pytest.mark.parametrize("name", SIGNED)
def test_the_doctor_names_what_the_table_says(name: str) -> None:
    """Each damage is refused for its cause, or is known to change nothing that the provider signs."""
    assert row_of(name) == TABLE[name]


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.name for damage in DAMAGES])
@pytest.mark.parametrize("name", SIGNED)
def test_every_refusal_says_what_to_do(name: str, damage: Damage) -> None:
    """Its cause or a hint names the damage, and there is always a hint."""
    for damaged in damage.damaged(case_of(name)):
        found = damaged.explained()
        if found.ok:
            continue
        assert found.hints
        text = " ".join([found.cause, *found.hints])
        assert any(word in text for word in damage.said[found.failed].split("|")), (found.failed, text)


@pytest.mark.parametrize("name", SIGNED)
def test_a_missing_or_doubled_part_is_named(name: str) -> None:
    """By the place at which it belongs."""
    case = case_of(name)
    for place, damaged in zip(places_of(case), with_a_part_missing(case), strict=True):
        text = " ".join([damaged.explained().cause, *damaged.explained().hints])
        assert place.partition(":")[2].lower() in text.lower()


@pytest.mark.parametrize("name", SIGNED)
def test_headers_in_another_order_are_the_same_request(name: str) -> None:
    """No provider promises an order."""
    case = case_of(name)
    assert case._replace(headers=dict(reversed(case.headers.items()))).explained().ok


@pytest.mark.parametrize("name", [name for name in SIGNED if case_of(name).config.secret])
def test_a_former_key_counts_beside_a_new_one(name: str) -> None:
    """During a rotation."""
    case = case_of(name)
    other = next(with_another_key(case)).config.secret
    said = case.config.model_dump(by_alias=True, exclude_unset=True)
    former = [{"name": "former", "secret": case.config.secret}]
    both = SignatureConfig.model_validate({**said, "secret": other, "secrets": former})
    assert case._replace(config=both).explained().ok


PARTLY_SIGNED = {
    "adyen", "aws-sns", "braintree", "korapay", "mailgun", "mailgun-routes", "mandrill", "midtrans", "nomba", "opay",
    "paga", "twilio",
}  # fmt: skip
"""Presets whose providers sign fields of the body, whatever their order."""


def test_the_table_is_whole_and_leaves_nothing_out() -> None:
    """Each preset that proves something has a row, and a damage is accepted only where nothing else is possible."""
    assert list(TABLE) == SIGNED
    assert set(NAMES) - set(TABLE) == {name for name in NAMES if PRESETS[name].kind == "none"}
    for name, row in TABLE.items():
        scheme = PRESETS[name]
        assert (ACCEPTED in row["body"]) is not proves_body(scheme), name
        assert (row["old"] == "timestamp") is (scheme.has_timestamp or scheme.kind == "jwt"), name
        assert row["stamp"] in (("timestamp", "signature") if scheme.has_timestamp else (NONE,)), name
        assert row["garbage"] == ("timestamp" if scheme.has_timestamp else NONE), name
        assert row["key"] in ("signature", "secret"), name
        assert ACCEPTED not in row["missing"], name
        is_list = "," in scheme.separator and not scheme.inside and not scheme.is_timestamp_first
        assert (ACCEPTED in row["doubled"]) is is_list, name
        if proves_body(scheme) and name not in PARTLY_SIGNED:
            assert row["fields"] in ("signature", "body", NONE), name
    refused = [cell for row in TABLE.values() for cell in row.values() if cell not in (NONE, ACCEPTED)]
    assert len(refused) > 5 * len(SIGNED)


def test_names_in_the_table_are_presets() -> None:
    """So that a preset that goes takes its row along."""
    assert set(TABLE) <= set(DETAILS)
    for name in TABLE:
        for place in places_of(case_of(name)):
            assert finder(parse_place(place))(case_of(name).request)
    assert read_stamp("1800000000", "seconds")
