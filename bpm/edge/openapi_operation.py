"""An HTTP address beside the bus, as `/openapi.json` describes it; whoever answers there declares it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenApiOperation:
    """A method at a whole path; without `answers` it takes JSON in and answers that it was accepted."""

    method: str
    path: str
    operation: str
    """Its id among all operations, as generated clients call it."""
    summary: str
    answers: Mapping[int, str] | None = None
    """What a browser is answered, by status, besides refusals; 200 is a page."""
