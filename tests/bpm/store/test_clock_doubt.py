"""What is old goes only by a clock that has stayed."""

from datetime import UTC, datetime, timedelta

from bpm.store.retention.clock_doubt import ClockDoubt

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Machine:
    """A clock that can be set, and one that only goes forward."""

    def __init__(self) -> None:
        self.now, self.steady = datetime(2026, 11, 30, tzinfo=UTC), 5_000.0

    def wait(self, time: timedelta) -> None:
        self.now += time
        self.steady += time.total_seconds()

    def doubt(self) -> ClockDoubt:
        return ClockDoubt(lambda: self.now, lambda: self.steady)


def test_a_year_forth_and_back() -> None:
    """While it is ahead there is a doubt, and none any more when it is back."""
    machine = Machine()
    doubt, last_run = machine.doubt(), machine.now
    machine.now += 370 * DAY
    assert doubt.lasts(last_run)
    machine.wait(HOUR)
    machine.now -= 370 * DAY
    assert not doubt.lasts(last_run)


def test_a_clock_that_stays_is_believed_after_a_day() -> None:
    """It was wrong at the start and is right now, or the machine slept."""
    machine = Machine()
    doubt = machine.doubt()
    machine.now += 30 * DAY
    assert doubt.lasts(None)
    machine.wait(23 * HOUR)
    assert doubt.lasts(None)
    machine.wait(2 * HOUR)
    assert not doubt.lasts(None)
    machine.wait(400 * DAY)
    assert not doubt.lasts(None)


def test_a_start_long_after_the_last_run() -> None:
    """A server that was off for weeks looks like one whose clock is ahead; neither prunes in its first hours."""
    machine = Machine()
    for last_run, is_doubted in ((machine.now - 8 * DAY, True), (machine.now + 8 * DAY, True), (machine.now, False)):
        doubt = machine.doubt()
        assert doubt.lasts(last_run) == is_doubted
        machine.wait(HOUR)
        assert doubt.lasts(last_run) == is_doubted
        machine.wait(6 * HOUR)
        assert not doubt.lasts(last_run)


def test_a_clock_that_is_set_right_is_not_doubted() -> None:
    """Summer time moves no clock in UTC, and minutes make nothing old."""
    machine = Machine()
    doubt = machine.doubt()
    for minutes in (30, -50, 20):
        machine.now += timedelta(minutes=minutes)
        assert not doubt.lasts(None)
