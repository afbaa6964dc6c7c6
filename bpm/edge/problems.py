"""Errors on the wire: the only place that knows which error has which HTTP status, and which headers that asks for.

Status codes of RFC 9110, section 15; 429 of RFC 6585.
"""

from math import ceil

from bpm.errors import (
    BpmError,
    Conflict,
    Failed,
    Fenced,
    Forbidden,
    HeadTooLarge,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    Refused,
    TooCostly,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
    Unverified,
)

STATUS: dict[type[BpmError], int] = {
    Refused: 400,
    Malformed: 400,
    Unauthenticated: 401,
    Unverified: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    TooSlow: 408,
    Conflict: 409,
    Fenced: 409,
    TooLarge: 413,
    UnsupportedMedia: 415,
    Invalid: 422,
    TooCostly: 422,
    Failed: 422,
    RateLimited: 429,
    HeadTooLarge: 431,
    Unavailable: 503,
}
"""The status of each error and of those below it in the tree; 500 for all others."""


def status_of(error: BpmError) -> int:
    """Return the HTTP status of an error, that of its nearest named ancestor."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def headers_of(error: BpmError) -> tuple[tuple[str, str], ...]:
    """Return the headers that an error's status asks for."""
    if isinstance(error, Unauthenticated):
        return (("www-authenticate", "Bearer"),)
    if isinstance(error, Unverified):  # a 401 must name a way to prove oneself (RFC 9110, section 15.5.2)
        return (("www-authenticate", "Signature"),)
    if isinstance(error, MethodNotAllowed):
        return (("allow", error.allowed),)
    if isinstance(error, TooSlow):
        return (("connection", "close"),)
    if isinstance(error, RateLimited | Unavailable):
        return (("retry-after", str(max(1, ceil(error.retry_after)))),)
    return ()
