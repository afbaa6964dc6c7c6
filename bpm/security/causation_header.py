"""How many messages led to a delivery, told in a header that only this installation can write.

A chain of messages ends after so many (`bpm.bus.envelope.MAX_DEPTH`). Over HTTP it would begin anew: a rule that
publishes an event which is delivered to the rule's own address would never end. So a delivery says how deep it stands,
and the request that it becomes goes on from there. The header is good for nothing else: whoever sends it again only
makes his own requests deeper.
"""

import hmac
import re

from bpm.security.secrets import SecretBox

HEADER = "bpm-cause"

_FORM = re.compile(r"(\d{1,4}) ([\w-]{1,64}) ([0-9a-f]{32})", re.ASCII)


class CausationHeader:
    """Writes and reads the header."""

    def __init__(self, box: SecretBox) -> None:
        """Take the installation's box."""
        self._box = box

    def write(self, depth: int, event_id: str) -> str:
        """Return the header of a delivery: the depth of its event, the event's id, and their proof."""
        return f"{depth} {event_id} {self._proofs(depth, event_id)[0]}"

    def depth_of(self, text: str | None) -> int:
        """Return how deep a request stands that came with this header: 0 without one, and with a made-up one."""
        match = _FORM.fullmatch(text) if text is not None else None
        if match is None:
            return 0
        depth, event_id, proof = int(match[1]), match[2], match[3]
        proofs = self._proofs(depth, event_id)
        return depth + 1 if any(hmac.compare_digest(proof, own) for own in proofs) else 0

    def _proofs(self, depth: int, event_id: str) -> list[str]:
        return [proof[:32] for proof in self._box.fingerprints(f"cause {depth} {event_id}")]
