"""What a rehearsal found out."""

from dataclasses import dataclass, field

from bpm.bus.envelope import Envelope
from bpm.bus.outcome import Outcome


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """What would become of a message, and of those that its handler sent one by one."""

    envelope: Envelope
    outcome: Outcome
    sent: "list[DryRunResult]" = field(default_factory=list["DryRunResult"])
