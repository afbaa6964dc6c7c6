"""What one cause has set in motion: messages and process instances that begin further ones end somewhere.

A cause is the request, timer or delivery at the root of a chain, known by its correlation id. Its chain may branch at
every step, so that a bound on the chain's length alone (`envelope.MAX_DEPTH`) leaves room for thousands; here the
whole tree is counted. Each process of the product counts for itself and in memory: counting costs no statement.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from bpm.bus.envelope import Envelope
from bpm.clock import Clock
from bpm.errors import Exhausted
from bpm.security.permissions import EXECUTE, RESERVED_EVENTS
from bpm.settings import ProcessSettings

OWN = frozenset({EXECUTE, RESERVED_EVENTS})
"""The permissions that only the product's own parts have."""
WINDOW = timedelta(hours=1)
MAX_CAUSES = 10_000
"""How many causes are remembered, those that were active last."""
MAX_ROOTS = 200_000
"""How many requests are remembered that deliveries have become, the newest."""
FEWEST_INSTANCES = 100
"""How many instances a cause may begin in an hour at any depth."""


@dataclass(slots=True)
class CorrelationUsage:
    """What a cause has done since a moment."""

    since: datetime
    messages: int = 0
    instances: int = 0
    size: int = 0


class CorrelationBudget:
    """Counts by organisation and correlation id, which a caller may choose, and refuses what goes too far."""

    def __init__(self, clock: Clock, limits: ProcessSettings) -> None:
        """Begin with no cause."""
        self._clock = clock
        self._limits = limits
        self._tallies: OrderedDict[tuple[int, str], CorrelationUsage] = OrderedDict()
        self._roots: OrderedDict[tuple[int, str], str] = OrderedDict()

    def go_back(self, organization_id: int, correlation_id: str, root: str) -> None:
        """Count what a request causes to the one that it goes back to: a delivery of that one has become it."""
        if root and root != correlation_id:
            self._roots[organization_id, correlation_id] = self.root_of(organization_id, root)
            if len(self._roots) > MAX_ROOTS:
                self._roots.popitem(last=False)

    def root_of(self, organization_id: int, correlation_id: str) -> str:
        """Return the correlation id that what this one causes is counted to."""
        return self._roots.get((organization_id, correlation_id), correlation_id)

    def count_message(self, envelope: Envelope) -> None:
        """Count a message that another one caused; raises `Exhausted` when its cause has sent too many.

        What the product's own parts tell one another is not refused: it would stop before its work is done.
        """
        if not envelope.depth or (envelope.principal.permissions | envelope.principal.lent) & OWN:
            return
        tally, most = self._tally(envelope), self._limits.max_caused_messages
        if tally.messages >= most:
            raise Exhausted(
                f"one cause has sent {most} further messages within an hour (BPM_PROCESSES__MAX_CAUSED_MESSAGES)"
            )
        tally.messages += 1

    def count_instance(self, envelope: Envelope, depth: int) -> None:
        """Count a process instance that begins `depth` steps away from its cause; raises `Exhausted` for one too many.

        What begins itself branches at every depth: the further away, the fewer there may be.
        """
        if not depth:
            return
        tally = self._tally(envelope)
        most = max(self._limits.max_caused_instances >> depth, FEWEST_INSTANCES)
        most = min(most, self._limits.max_caused_instances)
        if tally.instances >= most:
            raise Exhausted(
                f"one cause has begun {tally.instances} process instances within an hour, and {most} is the most at "
                f"depth {depth} (BPM_PROCESSES__MAX_CAUSED_INSTANCES); does a process start itself?"
            )
        tally.instances += 1

    def count_size(self, envelope: Envelope, size: int) -> None:
        """Count the bytes that a message or instance of a cause keeps; raises `Exhausted` when they are too many."""
        tally, most = self._tally(envelope), self._limits.max_caused_bytes
        if tally.size + size > most:
            raise Exhausted(f"one cause has stored {most} bytes within an hour (BPM_PROCESSES__MAX_CAUSED_BYTES)")
        tally.size += size

    def _tally(self, envelope: Envelope) -> CorrelationUsage:
        now = self._clock()
        organization_id = envelope.principal.organization_id
        cause = organization_id, self.root_of(organization_id, envelope.root)
        tally = self._tallies.get(cause)
        if tally is None or now - tally.since >= WINDOW:
            tally = self._tallies[cause] = CorrelationUsage(now)
        self._tallies.move_to_end(cause)
        if len(self._tallies) > MAX_CAUSES:
            self._tallies.popitem(last=False)
        return tally
