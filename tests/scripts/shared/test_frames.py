"""Frames carry what JSON carries, and nothing that is not of the protocol."""

import pytest

from scripts.shared.frames import HEADER, MalformedFrameError, pack, unpack
from scripts.shared.values import Outgoing, TooLargeError, verify

VALUES = [None, True, 0, -1, 2**63, 2**64, -(2**64), 10**300, 0.5, "", "äöü", [], [1, ["x"]], {}, {"a": {"b": None}}]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_survives_its_journey(value: object) -> None:
    """What is packed comes out equal, integers of any size included."""
    frame = pack({"t": "log", "value": value})
    assert HEADER.unpack(frame[:4]) == (len(frame) - 4,)
    assert unpack(frame[4:]) == {"t": "log", "value": value}


def test_half_a_surrogate_pair_travels_only_towards_a_script() -> None:
    """A payload arrives as it is; what a script sends must be proper text."""
    frame = pack({"t": "run", "value": "\ud800"}, unicode_errors="surrogatepass")
    assert unpack(frame[4:], unicode_errors="surrogatepass")["value"] == "\ud800"
    with pytest.raises(MalformedFrameError):
        unpack(frame[4:])
    with pytest.raises(UnicodeEncodeError):
        pack({"t": "log", "value": "\ud800"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x90",
        b"\x80",
        b"\x81\xa1t\x01",
        b"\x81\xa1t",
        b"\x82\xa1t\xa3log\x01\x02",
        b"\x91" * 5000,
        b"\x82\xa1t\xa1x\xa1y\xd4\x05\x00",
        b"\x82\xa1t\xa1x\xa1y\xa1\xff",
        b"\x81\xa1t\xa1x\x00",
        b"\xdf\xff\xff\xff\xff",
    ],
)
def test_bytes_that_are_no_message_are_refused(body: bytes) -> None:
    """Anything but one map with its kind is an error of its own, never another."""
    with pytest.raises(MalformedFrameError):
        unpack(body)


@pytest.mark.parametrize("value", [object(), 1 << 10_000])
def test_what_cannot_travel_is_refused(value: object) -> None:
    """Objects and integers without bounds do not pass."""
    with pytest.raises((TypeError, ValueError), match="cannot travel"):
        pack({"t": "log", "value": value})


def test_verification_knows_json_types_only() -> None:
    """Values of a frame are believed only after their types, numbers and depth were seen."""
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    for value in (b"x", float("nan"), float("inf"), {1: 2}, [b""], deep, 1 << 9_000):
        with pytest.raises(ValueError, match=r"JSON|not text"):
            verify(value)
    for value in VALUES:
        verify(value)


def test_outgoing_values_are_counted_together() -> None:
    """The room is shared by everything a script hands out."""
    outgoing = Outgoing(100)
    outgoing.convert("x" * 60, "result")
    with pytest.raises(TooLargeError):
        outgoing.convert("x" * 60, "reply")
