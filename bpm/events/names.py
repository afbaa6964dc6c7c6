"""How events are called, and the patterns that stand for several names."""

from typing import Annotated

from pydantic import Field

LONGEST = 200
AUDIT_BEGINNING = "audit."
"""How the events are called that say what the audit log does."""

EventName = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
"""Words with dots between, as in `order.created`."""

EventPattern = Annotated[str, Field(max_length=LONGEST, pattern=r"^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$")]
"""A name, `order.*` for every name that begins with `order.`, or `*` for all."""


def asks_for_audit(pattern: str) -> bool:
    """Tell whether a pattern stands for events of the audit log; `*` does not."""
    return pattern.startswith(AUDIT_BEGINNING)
