"""The headers that a script may put on its reply; the child checks them for the script, the server for itself."""

import re
from typing import cast

NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""A token of RFC 9110, section 5.6.2."""

VALUE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,4000}")
"""Text without control characters; what Latin-1 does not have is sent as a question mark."""

MOST = 50
"""Headers of one reply."""

MOST_CHARACTERS = 8_000
"""Characters in all headers of one reply: many a proxy takes no more."""

KEPT_BY_BROWSERS = frozenset(
    {
        "accept-ch", "alt-svc", "alternate-protocol", "clear-site-data", "expect-ct", "nel", "public-key-pins",
        "report-to", "sec-session-registration", "secure-session-registration", "service-worker-allowed",
        "set-cookie", "set-cookie2", "set-login", "shared-storage-write", "strict-transport-security",
        "use-as-dictionary",
    }
)  # fmt: skip
"""Headers with which a browser remembers something for the whole address, which the console shares."""

OBEYED_BY_PROXIES = ("x-accel-", "x-lighttpd-", "x-reproxy-", "x-sendfile")
"""How headers begin that a proxy in front does not pass on but obeys, as one that names a file to be sent instead."""


def problem_with(headers: object) -> str | None:
    """Return what is wrong with the headers of a reply, to be read after its name; None when nothing is."""
    if not isinstance(headers, dict):
        return "takes its headers as a dictionary of names and values, such as {'X-Id': '1'}"
    fields = cast("dict[object, object]", headers)
    if len(fields) > MOST:
        return f"takes at most {MOST} headers"
    size = 0
    for name, value in fields.items():
        if not (isinstance(name, str) and isinstance(value, str) and NAME.fullmatch(name) and VALUE.fullmatch(value)):
            return f"was given a header that is not valid: {str(name)[:100]!r}"
        if name.lower() in KEPT_BY_BROWSERS:
            return f"may not set {name}: a browser would keep it for the whole address, the console included"
        if name.lower().replace("_", "-").startswith(OBEYED_BY_PROXIES):
            return f"may not set {name}: a proxy in front would obey it"
        size += len(name) + len(value)
    return None if size <= MOST_CHARACTERS else f"takes at most {MOST_CHARACTERS} characters of headers"
