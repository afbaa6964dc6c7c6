"""What the signature doctor says of a proof that is not where it should be, stands twice, or has another time."""

from collections.abc import Callable, Iterator

from .claim import Claim
from .scheme import Scheme
from .signed_request import Headers, SignatureRefusal
from .stamps import read_stamp, shifted_stamp

MAX_SHIFTS = 600
"""How many other times are tried: five minutes in both directions."""
MAX_SHIFTED_BYTES = 65_536
"""Of a larger body no other times are tried."""
TWICE, MISSING = "more than once", "missing"


def absence_hints(refusal: SignatureRefusal) -> Iterator[str]:
    """Why a part of the proof may be missing, or stand twice."""
    if TWICE in refusal.cause:
        yield "the sender or a proxy adds it a second time: it may stand once, or nobody knows which one counts"
    elif MISSING in refusal.cause:
        yield "the sender leaves it out, as providers do until a secret is set there, or a proxy removed it"


def is_doubled(scheme: Scheme, headers: Headers, is_right: Callable[[Headers], bool]) -> bool:
    """Whether a secret is right that stands in two headers, which a server joins by a comma."""
    name = scheme.header.lower()
    parts = headers.get(name, "").split(", ")
    return len(parts) > 1 and any(is_right({**headers, name: part}) for part in parts)


def shifted_time(scheme: Scheme, claim: Claim, body: bytes, is_right: Callable[[Claim], bool]) -> str | None:
    """How far a signed time was moved, as in `1 s later`; None if the signature is right for no time nearby."""
    is_tried = scheme.has_timestamp and "{timestamp}" in scheme.signed_content
    if not is_tried or len(body) > MAX_SHIFTED_BYTES or read_stamp(claim.timestamp, scheme.timestamp_format) is None:
        return None
    for distance in range(1, MAX_SHIFTS // 2 + 1):
        for seconds in (distance, -distance):
            former = shifted_stamp(claim.timestamp, scheme.timestamp_format, -seconds)
            if is_right(claim._replace(timestamp=former)):
                return f"{distance} s {'later' if seconds > 0 else 'earlier'}"
    return None
