"""The fields of a configuration that mean something to the router alone."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bpm.jobs import jittered
from router.config import RetryConfig, WebHookFields

FIELDS = {"description": "d", "isEnabled": True, "path": "p", "action": "POST", "executionType": 0, "commandName": "X"}


SETTINGS: list[tuple[str, list[Any], list[Any], str]] = [
    ("allowableIPs", ["", " ", "10.0.0.1", "10.0.0.0/8, ::1,"], [",", " , "], "leave it out to allow all"),
    ("allowableIPs", ["2001:db8::/32"], ["10.0.0.256", "host.example", "10.0.0.1 10.0.0.2"], "203.0.113.7"),
    ("rateLimit", ["100/minute", "5 per second"], ["", "5", "fast", "5/fortnight"], "as in 100/minute"),
    ("rateLimit", ["1/day"], ["0/minute"], "at least one request"),
    ("rateLimit", ["5 per 10 seconds", "1 / Hour"], ["1/second;100/hour", "5/0 minutes", "1/day x"], "period, as in"),
    ("deduplication", ["none", "header:X-Id", "body:[].rrr", "body"], ["", "id", "body:a[", "header:"], "data.id"),
    ("deduplication", ["body:event,body:data.id", "body:a + header:b", ["body:a", "body:b"]], [[], 5], ""),
    ("deduplication", ["body:$type", "body:A B"], ["body:a,b", "body:$.id", "body:{{x}}", "header:a b"], "found"),
    ("deduplication", [["none"]], [["none", "body:a"], ["body:a"] * 2, [f"body:{n}" for n in range(6)]], "places"),
    ("maxBodyBytes", [1, 16 * 1024 * 1024], [0, -1, 16 * 1024 * 1024 + 1, "1"], ""),
    ("contentType", ["text/plain", "a/b+json; charset=latin1"], ["json", "a/b\nc", "a/b, c/d", "*/*"], ""),
    ("contentType", ["text/xml;charset=utf-16"], ["text/xml; charset=utf-7"], "not supported"),
    ("responseMode", ["async", "sync"], ["later", None], ""),
    ("response", [{}, {"status": 599}], [{"status": 199}, {"status": 600}, {"contentType": "a\r\nb: c"}], ""),
    ("response", [{"body": {"a": ["{{payload.x}}"]}}], [{"body": "{{payload."}, {"body": {"{{a}}": 1}}], ""),
    ("parameters", [{}, {"a": "{{payload.x ?? 1}}"}], [{"a": "{{"}, {"a": "{{__import__('os')}}"}], ""),
    ("retry", [{}, {"attempts": 50}], [{"attempts": 0}, {"backoffSeconds": []}, {"jitter": 2}], ""),
    ("executionType", [0, 0.0], [True, "0", 4, -1, 0.5, None], "0 (native command)"),
    ("path", ["a/{b}"], ["a/{b", "remita/x", "5"], ""),
]


@pytest.mark.parametrize(("field", "good", "bad", "says"), SETTINGS)
def test_a_field_is_checked_when_it_is_written(field: str, good: list[Any], bad: list[Any], says: str) -> None:
    """Whatever could fail at the first request is refused when the rule is saved, with what to write instead."""
    for value in good:
        WebHookFields.model_validate({**FIELDS, field: value})
    for value in bad:
        with pytest.raises(ValidationError) as caught:
            WebHookFields.model_validate({**FIELDS, field: value})
        assert says in str(caught.value)


def test_a_wait_follows_each_failure() -> None:
    """The waits are taken in order, and the last one again and again."""
    retry = RetryConfig(backoff_seconds=[1.0, 5.0]).policy()
    assert [retry.wait(failed).total_seconds() for failed in (1, 2, 3, 40)] == [1, 5, 5, 5]


def test_the_usual_waits_last_two_hours() -> None:
    """Without any setting five attempts are spread over about two hours."""
    retry = RetryConfig().policy()
    waits = [retry.wait(failed) for failed in range(1, retry.attempts)]
    assert timedelta(hours=1, minutes=45) < sum(waits, timedelta()) < timedelta(hours=2, minutes=15)


def test_waits_are_spread() -> None:
    """The jitter stays within its share of the wait, and does spread."""
    waits = [jittered(timedelta(seconds=100), 0.1).total_seconds() for _ in range(200)]
    assert 90 <= min(waits) < max(waits) <= 110
    assert jittered(timedelta(seconds=100), 0) == timedelta(seconds=100)
