"""How many messages led to a delivery, and what began them, told in a header that only this installation can write.

A chain of messages ends after so many (`bpm.bus.envelope.MAX_DEPTH`). Over HTTP it would begin anew: a rule that
publishes an event which is delivered to the rule's own address would never end. So a delivery says how deep it stands,
and the request that it becomes goes on from there; and it says by its correlation id what it goes back to, because a
chain that branches at every step is bounded by what all of it does (`bpm.bus.correlation_budget`). The header is good
for nothing else: whoever sends it again only makes his own requests deeper.
"""

import hmac
import re
from typing import NamedTuple

from bpm.security.secrets import SecretBox

HEADER = "bpm-cause"

_ROOT = r"[\w.:/+=@-]{1,128}"
_NAMED = re.compile(_ROOT, re.ASCII)
_FORM = re.compile(rf"((\d{{1,4}}) [\w-]{{1,64}}(?: ({_ROOT}))?) ([0-9a-f]{{32}})", re.ASCII)


class Cause(NamedTuple):
    """How deep a request stands, and the correlation id that it goes back to; empty where that is not known."""

    depth: int
    root: str


NONE = Cause(0, "")
"""Of a request that no delivery of ours has become."""


class CausationHeader:
    """Writes and reads the header."""

    def __init__(self, box: SecretBox) -> None:
        """Take the installation's box."""
        self._box = box

    def write(self, depth: int, event_id: str, root: str) -> str:
        """Return the header of a delivery: the depth of its event, the event's id, its root, and their proof."""
        said = f"{depth} {event_id} {root}" if _NAMED.fullmatch(root) else f"{depth} {event_id}"
        return f"{said} {self._proofs(said)[0]}"

    def read(self, text: str | None) -> Cause:
        """Return what a request goes back to that came with this header: `NONE` without one, and with a made-up one."""
        match = _FORM.fullmatch(text) if text is not None else None
        if match is None or not any(hmac.compare_digest(match[4], own) for own in self._proofs(match[1])):
            return NONE
        return Cause(int(match[2]) + 1, match[3] or "")

    def _proofs(self, said: str) -> list[str]:
        return [proof[:32] for proof in self._box.fingerprints(f"cause {said}")]
