"""What came of one row of a bulk job, written in the transaction of its effect."""

from bpm.bulk import tables
from bpm.bus.envelope import Envelope, Recorder
from bpm.bus.outcome import Outcome
from bpm.clock import Clock
from bpm.errors import Fenced
from bpm.store import Transaction


class BulkSettlement(Recorder):
    """Settles a row together with its effect, which is undone when the job was cancelled meanwhile."""

    is_tried_again = True

    def __init__(self, clock: Clock, job: tables.RunningJob, number: int) -> None:
        """Settle this row of this job."""
        self._clock = clock
        self._job = job
        self._number = number

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """See `settle`."""
        self.settle(tx, outcome)

    def settle(self, tx: Transaction, outcome: Outcome) -> None:
        """Write the outcome; raises `Fenced` when the job runs no more or another run was first."""
        errors = refusal(outcome, self._job.told_by)
        if not tables.settle_row(tx, self._job.id, self._number, errors, self._clock()):
            raise Fenced


def refusal(outcome: Outcome, told_by: str | None) -> list[str] | None:
    """Return why a row was not done, or None; `told_by` is the field of the answer that says whether it was."""
    if outcome.error is not None:
        return list(outcome.error.errors) or [outcome.error.message]
    if told_by is None or getattr(outcome.data, told_by):
        return None
    return list(outcome.data.errors)
