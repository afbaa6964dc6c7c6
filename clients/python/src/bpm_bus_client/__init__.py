"""A typed client of BPM Bus: messages are classes of `bpm_bus_client.models`, and each has its own answer.

with BpmClient("http://127.0.0.1:8000", token="bpm_…") as bpm:
    account = bpm.send(GetOwnAccountQuery()).data
"""

from bpm_bus_client.client import BpmClient
from bpm_bus_client.errors import (
    AnswerError,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
)

__all__ = [
    "AnswerError",
    "ApiError",
    "BpmClient",
    "ConflictError",
    "ForbiddenError",
    "InvalidError",
    "NotFoundError",
    "RateLimitedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnreachableError",
]
