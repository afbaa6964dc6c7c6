"""Headers that stand twice in a request, refused for every address alike.

Whoever reads the first and whoever reads the last of two `Authorization` headers disagree about who asks. So nobody
reads either. Two that describe the body in the same words leave nothing to disagree about.
"""

import re
from collections.abc import Iterable

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
