"""Prunes by the policies: on a schedule, one process at a time, in batches between which others write."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from bpm.clock import Clock
from bpm.repeating import RepeatingTask
from bpm.settings import MIB, RetentionSettings
from bpm.store.compaction import give_back
from bpm.store.database import Database
from bpm.store.retention import tables
from bpm.store.retention.clock_doubt import ClockDoubt
from bpm.store.retention.policy import Policy, Share

PAUSE_SECONDS = 0.005
"""The shortest pause after a batch; it lasts at least as long as the batch took."""
FIRST_SECONDS = 60.0
EVERY_SECONDS = 3_600.0
LEASE_SECONDS = 120.0
"""How long a process that is silent keeps others from pruning; it says so four times as often."""

log = structlog.get_logger("bpm.retention")

IsOver = Callable[[], Awaitable[bool]]


class Retention:
    """Lets go of what is older than the settings say, and of the oldest when the database is too large."""

    def __init__(
        self, database: Database, settings: RetentionSettings, clock: Clock, holder: str, policies: Sequence[Policy]
    ) -> None:
        """Take every area's policies; `holder` names this process among those that could prune."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._holder = holder
        self.policies = policies
        self._doubt = ClockDoubt(clock)
        self._lock = asyncio.Lock()
        self._leased = 0.0
        self._task = RepeatingTask(
            "bpm-retention", self._run_and_tell, EVERY_SECONDS, first_after=FIRST_SECONDS, failure="pruning failed"
        )

    def start(self) -> None:
        """Begin to prune every hour, except while the clock may be wrong: what went does not come back."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; what is half done goes on the next time."""
        await self._task.stop()

    async def preview(self) -> dict[str, int]:
        """Return how many rows each policy would let go of now because of their age."""
        found: dict[str, int] = {}
        for policy in self.policies:
            shares = await self._shares(policy, self._clock())
            counts = [await self._database.read(partial(policy.count, share=share)) for share in shares]
            found[policy.name] = sum(counts)
        return found

    async def run(self, seconds: float = float("inf")) -> dict[str, int] | None:
        """Prune, for about so long at most; return how many rows went, or None while another process prunes."""
        deadline = time.monotonic() + seconds
        async with self._lock:
            if not await self._lease():
                return None
            pruned: dict[str, int] = {}
            for policy in self.policies:
                pruned[policy.name] = await self._by_age(policy, deadline)
            for name, count in (await self._by_size(deadline)).items():
                pruned[name] += count
            await self._give_back(deadline)
            return pruned

    async def _give_back(self, deadline: float) -> None:
        """Let the file shrink by what is free beyond a reserve, piece by piece."""
        while time.monotonic() < deadline:
            began = time.monotonic()
            if not await self._database.write(give_back):
                break
            await self._pause(time.monotonic() - began)

    async def _run_and_tell(self) -> None:
        if self._doubt.lasts(await self._database.read(tables.last_run)):
            log.warning("nothing is pruned: the clock was set, or the last run is long ago")
            return
        pruned = await self.run()
        if pruned and any(pruned.values()):
            log.info("pruned", **{name.replace(" ", "_"): count for name, count in pruned.items() if count})

    async def _by_age(self, policy: Policy, deadline: float) -> int:
        """Prune what is too old; what was only emptied stays, so the next run begins where this one ended."""
        now = self._clock()
        if policy.prepare is not None:
            await self._database.write(policy.prepare)
        shares = await self._shares(policy, now)

        async def is_over() -> bool:
            return time.monotonic() > deadline

        pruned = await self._prune(policy, shares, is_over)
        until = policy.until(self._settings, now)
        if until is not None and shares and time.monotonic() > deadline:
            until = shares[0].since
        if shares:
            await self._note(policy, pruned, until)
        return pruned

    async def _shares(self, policy: Policy, now: datetime) -> Sequence[Share]:
        return await self._database.read(lambda tx: policy.shares(tx, self._settings, now))

    async def _by_size(self, deadline: float) -> dict[str, int]:
        """Prune the oldest, whatever their age, until the database is small enough."""
        pruned: dict[str, int] = {}

        async def is_over() -> bool:
            return time.monotonic() > deadline or not await self._is_too_large()

        sparable = [(policy.spare, policy) for policy in self.policies if policy.spare is not None]
        for _, policy in sorted(sparable, key=lambda pair: pair[0]):
            if not await is_over():
                now = self._clock()
                shares = await self._database.read(partial(policy.shares_before, before=now, now=now))
                pruned[policy.name] = await self._prune(policy, shares, is_over)
                await self._note(policy, pruned[policy.name], None)
        return pruned

    async def _is_too_large(self) -> bool:
        if not self._settings.max_database_mb:
            return False
        used = await self._database.read(tables.used_bytes)
        return used is not None and used > self._settings.max_database_mb * MIB

    async def _prune(self, policy: Policy, shares: Sequence[Share], is_over: IsOver) -> int:
        pruned = 0
        for share in shares:
            pruned += await self._prune_share(policy, share, is_over)
            if share.rule is not None and policy.values is not None and not await is_over():
                await self._database.write(partial(policy.conclude, share=share))
        return pruned

    async def _prune_share(self, policy: Policy, share: Share, is_over: IsOver) -> int:
        pruned, place = 0, share.since
        while not await is_over():
            found = await self._database.read(partial(policy.find, share=share, since=place))
            if not found:
                break
            began = time.monotonic()
            gone = await self._database.write(partial(policy.prune, keys=[key for key, _ in found]))
            pruned += gone
            if len(found) < policy.batch or (gone == 0 and found[-1][1] == place):
                break
            place = found[-1][1]
            await self._pause(time.monotonic() - began)
        return pruned

    async def _pause(self, took: float) -> None:
        await asyncio.sleep(max(PAUSE_SECONDS, took))
        if time.monotonic() - self._leased > LEASE_SECONDS / 4 and not await self._lease():
            raise RuntimeError("another process has begun to prune")

    async def _lease(self) -> bool:
        take = partial(tables.take_lease, holder=self._holder, now=self._clock(), seconds=LEASE_SECONDS)
        self._leased = time.monotonic()
        return await self._database.write(take)

    async def _note(self, policy: Policy, pruned: int, until: datetime | None) -> None:
        note = partial(tables.note_run, name=policy.name, pruned=pruned, until=until, now=self._clock())
        await self._database.write(note)
