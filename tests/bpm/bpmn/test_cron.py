"""Cron expressions in `timeCycle`."""

from datetime import UTC, datetime, timedelta

import pytest

from bpm.bpmn.cron import parse_cron
from bpm.bpmn.effects import OpenTimer
from bpm.expressions import EvaluationError
from tests.bpm.bpmn.player import NOON, Player, flows

FRIDAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 9 * * MON-FRI", "2026-05-04T09:00:00"),
        ("0 9 * * *", "2026-05-02T09:00:00"),
        ("*/15 * * * *", "2026-05-01T12:15:00"),
        ("30 0/10 12 * * ?", "2026-05-01T12:00:30"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 12 1,15 * *", "2026-05-15T12:00:00"),
        ("0 0 0 * JAN SUN", "2027-01-03T00:00:00"),
        ("0 0 0 * * 7", "2026-05-03T00:00:00"),
        ("0 0 0 13 * FRI", "2026-05-08T00:00:00"),
        ("@hourly", "2026-05-01T13:00:00"),
        ("@daily", "2026-05-02T00:00:00"),
    ],
)
def test_the_next_time_is_found(text: str, expected: str) -> None:
    """Fields of five or six, names, steps, lists and macros; two restricted days mean either."""
    assert parse_cron(text).after(FRIDAY) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["* * *", "60 * * * *", "a b c d e", "5-1 * * * *", "*/0 * * * *", "@often"])
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    """With an example of a good one."""
    with pytest.raises(EvaluationError, match="not a cron expression"):
        parse_cron(text)


def test_a_day_that_never_comes_is_an_error() -> None:
    """The thirtieth of February."""
    with pytest.raises(EvaluationError, match="never comes"):
        parse_cron("0 0 30 2 *").after(FRIDAY)


def test_a_boundary_timer_fires_by_cron() -> None:
    """Again and again, each time at the next one after now."""
    body = '<startEvent id="s"/><userTask id="t"/><boundaryEvent id="b" attachedToRef="t" cancelActivity="false">'
    body += "<timerEventDefinition><timeCycle>0 0 * * * *</timeCycle></timerEventDefinition></boundaryEvent>"
    player = Player(body + flows("s > t")).start()
    assert player.effect(OpenTimer).due == NOON + timedelta(hours=1)
    player.fire("b")
    assert player.effect(OpenTimer).due == NOON + timedelta(hours=2)
