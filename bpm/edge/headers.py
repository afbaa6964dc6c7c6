"""The headers of a request, and what one that stands twice means: the same at every address.

Whoever reads the first and whoever reads the last of two `Authorization` headers disagree about who asks. So nobody
reads either. Two that describe the body in the same words leave nothing to disagree about.
"""

import re
from collections.abc import Iterable, Sequence

from bpm.errors import Malformed

ONCE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"idempotency-key",
        b"proxy-authorization",
        b"transfer-encoding",
        b"x-organization-id",
    }
)
"""Headers that say who asks, for what, and how the body is to be read: a second one could only say otherwise."""

REPEATABLE = frozenset({b"content-encoding", b"content-type"})
"""Those of `ONCE` that may be repeated with the same value, as some clients and proxies do."""

_HOST = re.compile(rb"(?:[\w.~%!$&'()*+;=-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?", re.ASCII)


def require_one_meaning(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise `Malformed` when a header of `ONCE` has two meanings, or `Host` is not one host with at most a port."""
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in ONCE:
            if name in seen and not (name in REPEATABLE and seen[name] == value):
                raise Malformed(f"{name.decode().title()}: must stand once in a request, not twice")
            seen[name] = value
            if name == b"host" and not _HOST.fullmatch(value):
                raise Malformed("Host: must be one host name or address, with at most a port")


def read_headers(pairs: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; the values of one that stands several times are joined (RFC 9110, 5.3).

    A Content-Type is no list, and one that stands twice says the same twice (`require_one_meaning`).
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    return headers if len(headers) == len(pairs) else _joined(pairs)


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name == "content-type":
            headers.pop(name, None)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
