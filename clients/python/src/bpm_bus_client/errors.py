"""What can go wrong: one error for each status that a caller tells apart."""

from typing import Any, cast


class ApiError(Exception):
    """The server did not do what it was asked.

    `status` is HTTP's, 0 without an answer; `errors` are the server's sentences, one for each problem; `request_id`
    finds the request in the server's log; `retry_after` is in seconds, 0 when the server says nothing of it.
    """

    def __init__(
        self, status: int, message: str, errors: list[str] | None = None, request_id: str = "", retry_after: float = 0
    ) -> None:
        """Take what the server answered."""
        super().__init__("; ".join([message, *(errors or [])]))
        self.status = status
        self.message = message
        self.errors = errors or []
        self.request_id = request_id
        self.retry_after = retry_after


class UnauthenticatedError(ApiError):
    """401: no token, or a wrong, expired or revoked one."""


class ForbiddenError(ApiError):
    """403: the permission is missing."""


class NotFoundError(ApiError):
    """404: there is no such thing, or it is not yours to see."""


class ConflictError(ApiError):
    """409: in conflict with the present state."""


class InvalidError(ApiError):
    """422: a field is wrong."""


class RateLimitedError(ApiError):
    """429: too fast."""


class UnavailableError(ApiError):
    """503: overloaded or stopping."""


class UnreachableError(ApiError):
    """No answer came."""


class AnswerError(ApiError):
    """What came is not what the server's own document promises; whether the message was taken is not known."""


KINDS: dict[int, type[ApiError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidError,
    429: RateLimitedError,
    503: UnavailableError,
}


def error_of(status: int, envelope: Any, headers: Any) -> ApiError:
    """Return the error that an answer stands for; `envelope` is its JSON, or None where it is none."""
    fields = cast("dict[str, Any]", envelope) if isinstance(envelope, dict) else {}
    message, errors = fields.get("message"), fields.get("errors")
    wait = str(headers.get("retry-after", "0"))
    return KINDS.get(status, ApiError)(
        status,
        message if isinstance(message, str) and message else f"The server answered {status}",
        [str(error) for error in cast("list[Any]", errors)] if isinstance(errors, list) else [],
        headers.get("x-request-id", ""),
        float(wait) if wait.isascii() and wait.isdigit() else 0,
    )
