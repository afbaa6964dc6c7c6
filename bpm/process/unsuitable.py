"""What somebody brought that an instance can't take."""

from collections.abc import Generator
from contextlib import contextmanager

from bpm.errors import Invalid
from bpm.expressions import EvaluationError


@contextmanager
def refusing_unsuitable(about: str) -> Generator[None]:
    """Raise `Invalid` for what can't be evaluated; its sentence begins with what it is about."""
    try:
        yield
    except EvaluationError as error:
        raise Invalid(f"{about}: {error}") from error
