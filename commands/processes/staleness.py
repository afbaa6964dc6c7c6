"""Refuse to deploy over a version that whoever deploys has not seen."""

from typing import Annotated

from pydantic import Field

from bpm.errors import Conflict

AfterVersion = Annotated[int, Field(ge=0, le=2**31 - 1)] | None


def refuse_stale(key: str, seen: int | None, newest: int) -> None:
    """Raise `Conflict` unless the newest version (0: none) is the one that was seen; None asks for no check."""
    if seen is None or seen == newest:
        return
    if seen == 0:
        raise Conflict(f"{key} is there already, in version {newest}; give yours another id")
    raise Conflict(f"version {newest} of {key} was deployed meanwhile, yours begins from version {seen}")
