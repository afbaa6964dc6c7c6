"""What is refused in the head of a request although the parser can read it (RFC 9112, sections 2.3, 3.2 and 6).

Programs before and behind a proxy must not read one request in two ways. So there is one answer to a head that could
be: it is refused, and the connection is closed.
"""

import re
from collections.abc import Mapping

from bpm.errors import Malformed

VERSIONS = ("1.1", "1.0")

_ABSOLUTE = re.compile(rb"https?://([^/?#]*)[/?]?", re.IGNORECASE)


def require_http_1(version: str, headers: Mapping[bytes, bytes]) -> None:
    """Raise `Malformed` unless the head is HTTP/1.0 or 1.1, and frames its body as that version does."""
    if version not in VERSIONS:
        raise Malformed("this server speaks HTTP/1.1 and HTTP/1.0")
    if version == "1.1" and b"host" not in headers:
        raise Malformed("Host: is required in HTTP/1.1")
    coding = headers.get(b"transfer-encoding")
    if coding is None:
        return
    if version == "1.0":
        raise Malformed("Transfer-Encoding: is not possible in HTTP/1.0; send Content-Length")
    if coding.lower() != b"chunked":
        raise Malformed("Transfer-Encoding: can only be chunked")
    if b"content-length" in headers:
        raise Malformed("Content-Length: can't stand beside Transfer-Encoding")


def require_target(method: bytes, target: bytes, headers: Mapping[bytes, bytes]) -> None:
    """Raise `Malformed` unless the target is a path of this server, alone or behind the host that `Host` names."""
    if method == b"CONNECT":
        raise Malformed("CONNECT is not possible here; this server is no proxy")
    if b"#" in target:
        raise Malformed("the request's target can't have a fragment (#)")
    if target.startswith(b"/"):
        return
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        raise Malformed("the request's target must be a path that begins with /")
    host = headers.get(b"host", absolute[1])
    if absolute[1].lower() != host.lower():
        raise Malformed("Host: must name the host of the request's target")
