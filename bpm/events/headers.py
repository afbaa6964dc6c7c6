"""The headers a subscription may add to its deliveries."""

import re
from collections.abc import Iterable, Mapping

from bpm.security.redaction import REDACTED

MAX_HEADERS = 20
MAX_VALUE = 2_000

RESERVED = frozenset(
    {
        "accept-encoding",
        "client-ip",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "http2-settings",
        "keep-alive",
        "metadata",
        "metadata-flavor",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "true-client-ip",
        "upgrade",
        "user-agent",
        "via",
        "x-client-ip",
        "x-forwarded",
        "x-google-metadata-request",
        "x-host",
        "x-http-host-override",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-host",
        "x-original-method",
        "x-original-uri",
        "x-original-url",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-ip",
        "x-rewrite-url",
        "x-webhook-signature",
        "x-webhook-timestamp",
    }
)
RESERVED_BEGINNINGS = (
    "webhook-",
    "bpm-",
    "ce-",
    "proxy-",
    "x-forwarded-",
    "sec-",
    "x-aws-ec2-metadata-",
    "x-cluster-",
    "x-envoy-",
    "x-accel-",
    "cf-",
)
"""Headers that belong to the protocol, to the signature, to proxies in between, or to a cloud's metadata service."""

NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
VALUE = re.compile(r"[!-~]([ \t!-~]*[!-~])?")


class HeaderError(ValueError):
    """A header's value is not there; the sentence says whose."""


def header_problems(headers: Mapping[str, str]) -> Iterable[str]:
    """Return what is wrong with custom headers, as sentences; `Authorization` and the like are allowed."""
    if len(headers) > MAX_HEADERS:
        yield f"headers: at most {MAX_HEADERS} are possible"
    if len({name.lower() for name in headers}) < len(headers):
        yield "headers: one header is named twice"
    for name, value in headers.items():
        if not NAME.fullmatch(name):
            yield f"headers: {name[:100]!r} is not the name of a header"
        elif _is_reserved(name.lower().replace("_", "-")):  # some servers read both spellings as one
            yield f"headers.{name}: is set by the delivery itself and can't be chosen"
        elif not VALUE.fullmatch(value) or len(value) > MAX_VALUE:
            yield f"headers.{name}: must be 1 to {MAX_VALUE} visible ASCII characters"


def _is_reserved(name: str) -> bool:
    return name in RESERVED or name.startswith(RESERVED_BEGINNINGS)


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers as lists and answers show them: any value may be a credential of the receiver's."""
    return dict.fromkeys(headers, REDACTED)


def with_stored_values(headers: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with every `***` replaced by the stored value of the same name; raises `HeaderError`."""
    known = {name.lower(): value for name, value in stored.items()}
    missing = [name for name, value in headers.items() if value == REDACTED and name.lower() not in known]
    if missing:
        raise HeaderError(f"{REDACTED} stands for the stored value, and {', '.join(missing)} has none; write it out")
    return {name: known[name.lower()] if value == REDACTED else value for name, value in headers.items()}
