"""Every preset: one signed text is one request, and nobody chooses under which id a genuine request is known."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import permutations

import pytest

from bpm.signatures import DETAILS, PRESETS, TrustSources, compile_signature
from bpm.signatures.scheme import SHOWN
from bpm.signatures.signed_request import parse_place
from router.deduplication import DeliveryId, delivery_id
from router.request import InboundCall
from tests.bpm.signatures.test_presets import SIGNED, Case, case_of, scheme_of

JOINTS = ("", ".", ":", "|", "\n", "&", "-", " ", "/", "?", "=", ",", "+", ";")
LINE = ("method", "path", "query")
CUTS = (1, 2, 10, 13)
SIGNING = [name for name in SIGNED if PRESETS[name].kind not in SHOWN]
IDENTIFIED = [name for name in SIGNING if delivery_id(None, PRESETS[name]) is not None]

Judge = Callable[[Case], bool]


def judge_of(case: Case) -> Judge:
    """Return what says whether a request passes."""
    verifier = compile_signature(case.config, str, TrustSources(case.lookup))
    return lambda one: verifier.verify(one.body, one.headers, one.now, one.address).ok


def parts_of(case: Case) -> dict[str, str]:
    """Return the parts of a request by their names: headers, body, and those of its first line."""
    line = {name: getattr(case.address, name) for name in LINE}
    return {**case.headers, **line, "body": case.body.decode()}


def with_part(case: Case, name: str, text: str) -> Case:
    """Return a request with another text as one of its parts."""
    if name == "body":
        return case._replace(body=text.encode())
    if name in LINE:
        return case._replace(address=case.address._replace(**{name: text}))
    return case.with_value(f"header:{name}", text)


def moved(one: str, other: str) -> Iterator[tuple[str, str]]:
    """Yield two texts whose border lies elsewhere, with and without what may stand between them."""
    for cut in CUTS:
        for joint in JOINTS:
            if len(other) > cut:
                yield f"{one}{joint}{other[:cut]}", other[cut:].removeprefix(joint)
            if len(one) > cut:
                yield one[:-cut].removesuffix(joint), f"{one[-cut:]}{joint}{other}"


@pytest.mark.parametrize("name", SIGNING)
def test_no_border_in_the_signed_text_can_be_moved(name: str) -> None:
    """The end of one part is never the beginning of another one."""
    case = case_of(name)
    passes, parts = judge_of(case), parts_of(case)
    covered = [part for part in parts if not passes(with_part(case, part, f"{parts[part]}x"))]
    assert covered
    for one, other in permutations(covered, 2):
        if {one, other} == {"path", "query"}:
            continue  # they are one text, and a question mark ends the path wherever it stands
        if "body" in (one, other) and "{form sorted}" in scheme_of(case).signed_content:
            assert "could be taken for another" in DETAILS[name].note  # so the provider has made it
            continue
        for left, right in moved(parts[one], parts[other]):
            assert not passes(with_part(with_part(case, one, left), other, right)), (one, left, other, right)


def id_of(case: Case, find: DeliveryId) -> str | None:
    """Return by which id a request is known."""
    headers = {"content-type": "application/json", **case.headers}
    address = case.address
    return find(InboundCall("POST", "p", headers, address.query, "192.0.2.1", datetime.now(UTC), case.body))


@pytest.mark.parametrize("name", IDENTIFIED)
def test_nobody_gives_a_genuine_request_the_id_of_another(name: str) -> None:
    """What is not signed may be changed on the way; the id then still holds the body, which may not."""
    case = case_of(name)
    scheme = scheme_of(case)
    find = delivery_id(None, scheme)
    assert find is not None
    passes, parts, genuine = judge_of(case), parts_of(case), id_of(case, find)
    for place in scheme.deduplication:
        header = place.removeprefix("header:")
        if header in parts and passes(forged := with_part(case, header, "of-the-future")):
            other = with_part(forged, "body", f"{parts['body']} ")
            assert id_of(forged, find) != id_of(other, find), "the id of a body that is yet to come is used up"
    assert genuine is None or genuine == id_of(case, find)


@pytest.mark.parametrize("name", IDENTIFIED)
def test_an_id_in_a_body_that_is_not_wholly_signed_is_bound(name: str) -> None:
    """A body that is signed in parts, or by a checksum, can be made to hold the id of another one."""
    scheme = scheme_of(case_of(name))
    content = scheme.signed_content
    is_whole = any(word in content for word in ("{body}", "{digest}", "{digest:sha", "{form sorted}"))
    for place in scheme.deduplication:
        kind, _, path = place.partition(":")
        if kind == "body" and not is_whole:
            assert not scheme.covers(place) or f"{{body:{path}" in content, place


def test_a_checksum_covers_no_id() -> None:
    """PayPal signs a CRC-32: whoever has seen one request may send others, and uses up no genuine one's id."""
    scheme = PRESETS["paypal"]
    assert "{digest:crc32}" in scheme.signed_content
    assert not scheme.covers("body:id")
    assert "CRC-32" in DETAILS["paypal"].note
    case, find = case_of("paypal"), delivery_id(None, scheme)
    assert find is not None
    other = with_part(case, "body", case.body.decode() + " ")
    assert id_of(case, find) != id_of(other, find)


def test_every_place_of_an_id_can_be_read() -> None:
    """The tables above look at all of them."""
    for name in IDENTIFIED:
        for place in PRESETS[name].deduplication:
            assert place.startswith(("standard-webhooks:", "body:[", "body:")) or parse_place(place), name
