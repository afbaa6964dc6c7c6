"""What every provider must hold; a provider's test inherits `ProviderContract` and names its recorded payloads."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from bpm.app.settings import load_settings
from bpm.bus import Message, Registry
from router.providers import Call, FixedRoute, Provider, Reception, Refusal, discover
from tests.payloads import payload

ADDRESS = "198.51.100.7"

HOSTILE = {
    "empty": b"",
    "blank": b"  ",
    "half": b'{"event": "x"',
    "not UTF-8": b'{"event": "\xff\xfe"}',
    "text": b'"hello"',
    "number": b"12",
    "null": b"null",
    "true": b"true",
    "not a number": b'[{"rrr": NaN}]',
    "infinity": b'{"event": -Infinity}',
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"data":' * 5_000 + b"1" + b"}" * 5_000,
    "deep in a field": b'{"event": "x", "rrr": "1", "parentRRRDetails":' + b"[" * 70 + b"]" * 70 + b', "data": {}}',
    "many digits": b'{"event": "x", "rrr": "1", "amount": ' + b"9" * 1_000_000 + b"}",
    "lone surrogate": b'{"event": "\\ud800", "rrr": "\\ud800"}',
    "lone surrogate in a name": b'{"event": "x", "rrr": "1", "data": {"\\udc00": 1}}',
    "no known field": b'{"hello": "world"}',
    "odd types": b'{"event": {"a": 1}, "rrr": ["1"], "mandateId": true, "lineItems": null}',
    "form": b"event=x&rrr=1",
    "XML": b"<notification><rrr>1</rrr></notification>",
}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def _lines(value: Any) -> dict[str, Any]:
    return {"lineItems": value}


class ProviderContract:
    """Inherit, and set what stands below."""

    name: ClassVar[str]
    on: ClassVar[Mapping[str, Any]]
    """Settings that switch the provider on."""

    half_on: ClassVar[tuple[Mapping[str, Any], ...]]
    """Settings that look as if they did: empty and blank values."""

    headers: ClassVar[Mapping[str, str]]
    """The headers of a genuine request, its secret among them."""

    switch: ClassVar[str]
    """The setting that the sentence about an endpoint that is off must name."""

    recorded: ClassVar[tuple[tuple[str, str, str], ...]]
    """(path, recorded payload, `$type` of the message it becomes), all POST."""

    words: ClassVar[tuple[str, ...]]
    """Field names from which the fuzzed bodies are made."""

    registry: Registry

    @pytest.fixture(autouse=True)
    def _registered(self) -> None:
        self.registry = Registry()
        self.registry.discover("commands.payments")

    def test_it_is_off_until_configured(self) -> None:
        """Without settings the provider has no routes and names the setting that switches it on."""
        nothing: dict[str, Any] = {}
        for settings in (nothing, *self.half_on):
            off = self.provider(settings)
            assert off.routes == ()
            assert self.switch in off.off

    def test_a_recorded_payload_becomes_its_message(self) -> None:
        """Every recorded payload passes, is read, and is a valid message of the named type."""
        for path, name, message_type in self.recorded:
            call = self.call(payload(name))
            route = self.route("POST", path)
            assert route.verify(call) is None
            reception = route.read(call)
            assert reception.message_type == message_type
            assert reception.answer.status == 200
            self.decoded(reception)

    def test_reading_twice_gives_the_same(self) -> None:
        """A request read again by the worker becomes the same message with the same key."""
        for path, name, _ in self.recorded:
            route = self.route("POST", path)
            assert route.read(self.call(payload(name))) == route.read(self.call(payload(name)))

    def test_wrong_or_missing_secrets_are_refused(self) -> None:
        """Each header of a genuine request, left out, emptied, cut short or changed, is refused with a cause."""
        for path, name, _ in self.recorded:
            route = self.route("POST", path)
            for header, value in self.headers.items():
                others = {k: v for k, v in self.headers.items() if k != header}
                assert route.verify(self.call(payload(name), others))
                for wrong in ("", " ", value[:-1], value + "x", value.swapcase(), "é\udcff"):
                    assert route.verify(self.call(payload(name), {**others, header: wrong}))
            assert 400 <= route.refused.status < 500

    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
    def test_a_hostile_body_is_refused(self, body: bytes) -> None:
        """What no provider sends is refused with a sentence and a 4xx answer."""
        for path in {path for path, _, _ in self.recorded}:
            with pytest.raises(Refusal) as caught:
                self.route("POST", path).read(self.call(body))
            assert caught.value.cause
            assert 400 <= caught.value.answer.status < 500

    def test_no_body_crashes_the_reader(self) -> None:
        """Any JSON made of the provider's own field names is refused or becomes a valid message."""
        objects = st.dictionaries(st.sampled_from(self.words) | st.text(max_size=5), VALUES, max_size=8)
        bodies = objects | st.lists(objects | VALUES, max_size=4) | VALUES.map(_lines)

        @given(body=bodies)
        def reads(body: Any) -> None:
            for path in {path for path, _, _ in self.recorded}:
                self.read_or_refuse(self.route("POST", path), to_json(body))

        reads()

    def test_no_bytes_crash_the_reader(self) -> None:
        """Any bytes are refused or become a valid message."""

        @given(body=st.binary(max_size=200))
        def reads(body: bytes) -> None:
            for path in {path for path, _, _ in self.recorded}:
                self.read_or_refuse(self.route("POST", path), body)

        reads()

    def read_or_refuse(self, route: FixedRoute, body: bytes) -> None:
        try:
            reception = route.read(self.call(body))
        except Refusal:
            return
        self.decoded(reception)

    def decoded(self, reception: Reception) -> Message[Any]:
        """Return the message as the worker builds it."""
        return self.registry.decode(reception.message_type, reception.fields)

    def provider(self, settings: Mapping[str, Any]) -> Provider:
        """Return the provider as it is discovered with these settings."""
        return next(p for p in discover(load_settings(**settings)) if p.name == self.name)

    def route(self, method: str, path: str) -> FixedRoute:
        return next(r for r in self.provider(self.on).routes if (r.method, r.path) == (method, path))

    def call(self, body: bytes = b"", headers: Mapping[str, str] | None = None, **query: str) -> Call:
        return Call("POST", self.headers if headers is None else headers, query, body, ADDRESS)
