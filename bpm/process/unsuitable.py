"""What somebody brought that an instance can't take."""

from collections.abc import Generator
from contextlib import contextmanager

from bpm.errors import Invalid
from bpm.expressions import EvaluationError


@contextmanager
def refusing_unsuitable(about: str, advice: str = "") -> Generator[None]:
    """Raise `Invalid` for what can't be evaluated; its sentence begins with what it is about, and ends with advice."""
    try:
        yield
    except EvaluationError as error:
        ending = f"; {advice}" if advice else ""
        raise Invalid(f"{about}: {error}{ending}") from error
