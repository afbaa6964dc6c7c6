"""What can go wrong with an expression.

- ExpressionError (a ValueError): the source cannot be compiled
- EvaluationError (a ValueError): the source is fine, the values are not
    - Unsuitable: a value is missing or of the wrong type; becomes null where null is allowed
    - TooManySteps: it takes more steps than its budget has; also an `OverBudget`, which is never tried again
"""

from bpm.metering import OverBudget


class ExpressionError(ValueError):
    """The source is not an expression; `column` counts from 1 in the text that was given."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


class EvaluationError(ValueError):
    """The expression cannot be evaluated with these values."""


class Unsuitable(EvaluationError):
    """A value is missing, or an operation does not take a value of its type."""


class TooManySteps(OverBudget, EvaluationError):
    """The evaluation takes more steps than its budget has."""
