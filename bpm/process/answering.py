"""The answer to an instance's wait, given in the transaction of the work that it waited for."""

from collections.abc import Callable

from bpm.bus import Envelope, Outcome, Recorder
from bpm.errors import BpmError
from bpm.store import Transaction

Answer = Callable[[Transaction, Outcome], object]
"""Lets the instance go on with an outcome; raises a `BpmError` when it does not wait for it any more."""


class AnswerRecorder(Recorder):
    """Lets an instance go on beside the effect of a step: both are committed, or neither.

    `error` is what the instance refused the answer with. A failed step is left to whoever executes it, who may try
    it again.
    """

    is_tried_again = True

    def __init__(self, answer: Answer) -> None:
        """Take how the answer is given."""
        self._answer = answer
        self.error: BpmError | None = None

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Give the answer; raises what it is refused with, which undoes the effect."""
        if outcome.error is not None:
            return
        self.error = None
        try:
            self._answer(tx, outcome)
        except BpmError as error:
            self.error = error
            raise
