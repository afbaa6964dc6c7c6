"""Webhook paths: how they are written, what they may not collide with, and how a request finds its rule."""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote

from router.providers import declarations

PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+")
"""What stands for itself in an address (RFC 3986, section 3.3); there is one way only to write such a segment."""
MAX_SEGMENTS = 20
ADDRESSES = ("/api/webhooks/", "/api/webhook/")
"""What every webhook's address begins with."""
PREFIXES = ("api", "webhook", "webhooks")


def normalise(path: str) -> str:
    """Return the path as it is kept: without a leading slash, `api/`, `webhook/` or `webhooks/`.

    Raises `ValueError` for segments that no address can have and for collisions with fixed addresses.
    """
    parts = path.strip().strip("/").split("/")
    while parts and parts[0] in PREFIXES:
        parts = parts[1:]
    if not parts or parts == [""]:
        raise ValueError("must have at least one segment, as in orders/paid")
    if len(parts) > MAX_SEGMENTS:
        raise ValueError(f"must have at most {MAX_SEGMENTS} segments")
    _check_segments(parts)
    _check_collisions(parts)
    return "/".join(parts)


def shape(path: str) -> str:
    """Return the path with nameless parameters: two paths of one shape answer the same addresses."""
    return "/".join("{}" if PARAMETER.fullmatch(part) else part for part in path.split("/"))


def overlaps(one: str, other: str) -> bool:
    """Tell whether some address is answered by both of two shapes; capitals make no other address here.

    Addresses that differ in capitals alone are two, but whoever mistypes one must not reach somebody else.
    """
    segments, others = one.lower().split("/"), other.lower().split("/")
    pairs = zip(segments, others, strict=False)
    return len(segments) == len(others) and all(a == b or "{}" in (a, b) for a, b in pairs)


class ReservedPaths(NamedTuple):
    """What the providers keep for themselves, in lower case."""

    paths: Mapping[str, str]
    """Whole paths, by the provider's name."""
    beginnings: tuple[str, ...]


@cache
def reserved_paths() -> ReservedPaths:
    """Return the paths that no rule answers, asked of the providers once."""
    declared = [(path, declaration.name) for declaration in declarations() for path in declaration.reserved]
    whole = {path: name for path, name in declared if not path.endswith("/")}
    return ReservedPaths(whole, tuple(path for path, _ in declared if path.endswith("/")))


def is_reserved(path: str) -> bool:
    """Tell whether a request's path is a fixed endpoint's, which no rule answers, also while the endpoint is off.

    Nor does one answer the path in other capitals: whoever mistypes it must not reach a rule with `mono/{id}`.
    """
    lowered, reserved = path.lower(), reserved_paths()
    return lowered in reserved.paths or lowered.startswith(reserved.beginnings)


def decode_path(path: str, raw_path: bytes) -> str:
    """Return the path of a request as rules are looked up by: decoded, but for `/` and `%` inside a segment.

    `path` is the decoded and `raw_path` the encoded path of the request line; `a%2Fb` stays one segment.
    """
    if b"%" not in raw_path:
        return path
    segments = (unquote(segment) for segment in raw_path.decode("latin-1").split("/"))
    return "/".join(segment.replace("%", "%25").replace("/", "%2F") for segment in segments)


def values_at(template: str, path: str) -> dict[str, str] | None:
    """Return the values of a kept path's parameters at an address, or None when it does not answer there."""
    expected, given = template.split("/"), path.split("/")
    if len(expected) != len(given):
        return None
    values: dict[str, str] = {}
    for part, value in zip(expected, given, strict=True):
        parameter = PARAMETER.fullmatch(part)
        if parameter is not None and value:
            values[parameter[1]] = unquote(value)
        elif part != value:
            return None
    return values


def _check_segments(parts: list[str]) -> None:
    names: set[str] = set()
    for part in parts:
        parameter = PARAMETER.fullmatch(part)
        if parameter is None:
            if part in ("", ".", "..") or not SEGMENT.fullmatch(part):
                raise ValueError(
                    f"the segment {part!r} can't stand in an address; use letters, digits, - . _ or {{name}}"
                )
        elif parameter[1] in names:
            raise ValueError(f"the parameter {part} stands twice")
        else:
            names.add(parameter[1])


def _check_providers(path: str) -> None:
    reserved = reserved_paths()
    for own, name in reserved.paths.items():
        if f"{own}/" in reserved.beginnings and (path == own or path.startswith(f"{own}/")):
            raise ValueError(f"collides with the fixed {name.capitalize()} endpoints /api/webhooks/{own} and below")
        if path == own:
            raise ValueError(f"collides with the fixed endpoint /api/webhooks/{own}")
    below = next((own for own in reserved.beginnings if path.startswith(own)), None)
    if below is not None:
        raise ValueError(f"collides with the fixed endpoints below /api/webhooks/{below}")


def _check_collisions(parts: list[str]) -> None:
    lowered = [part.lower() for part in parts]
    _check_providers("/".join(lowered))
    if len(parts) == 1 or lowered[1:] == ["logs"]:
        if parts[0].isdigit():
            raise ValueError(f"collides with the subscription address /api/webhooks/{'/'.join(parts)}")
        if PARAMETER.fullmatch(parts[0]):
            raise ValueError("would answer every key and subscription number; begin with a literal segment")
