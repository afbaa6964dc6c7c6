"""Prune what is old now, rather than when the hour comes."""

from bpm.bus import Command, EffectContext, View, handles
from bpm.errors import Conflict
from bpm.store.retention import Retention

SECONDS = 20.0


class PrunedView(View):
    """How many rows of each kind went, or would go; `complete` is false when the rest waits for the next run."""

    preview: bool
    pruned: dict[str, int]
    """How many rows of each kind."""
    complete: bool
    """Whether nothing is left for the next run."""


class PruneStoredDataCommand(Command[PrunedView]):
    """Let go of everything older than the retention settings say, for about 20 seconds; the schedule does the rest.

    With `preview` nothing goes, and the answer counts what would because of its age.
    """

    permission = "system:write"
    succeeded = "Stored data pruned"
    failed = "Pruning failed"
    time_limit = 3_600.0

    preview: bool = False


@handles
async def prune(command: PruneStoredDataCommand, context: EffectContext, retention: Retention) -> PrunedView:
    """Count, or prune."""
    if command.preview:
        return PrunedView(preview=True, pruned=await retention.preview(), complete=True)
    pruned = await retention.run(SECONDS)
    if pruned is None:
        raise Conflict("another process prunes at this moment; wait until it is done")
    return PrunedView(preview=False, pruned=pruned, complete=not any((await retention.preview()).values()))
