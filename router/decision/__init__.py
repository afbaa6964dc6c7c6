"""What is decided about a request before it is stored: written once, for live traffic and for every kind of trial."""

from router.decision.decide import DUPLICATE, HANDSHAKE, Place, admit, confirm, decide, decide_for, decide_whole
from router.decision.decision import NO_LOOKUPS, Decision, Lookups
from router.decision.verdict import PASSED, QUARANTINED_CAUSES, SIGNATURE, Verdict

__all__ = [
    "DUPLICATE",
    "HANDSHAKE",
    "NO_LOOKUPS",
    "PASSED",
    "QUARANTINED_CAUSES",
    "SIGNATURE",
    "Decision",
    "Lookups",
    "Place",
    "Verdict",
    "admit",
    "confirm",
    "decide",
    "decide_for",
    "decide_whole",
]
