"""How many connections may be open, in all and of one address, and how long each may take for what it does next."""

import asyncio
import itertools
import time
from collections import Counter, OrderedDict
from typing import Protocol

import structlog

from bpm.security.net import AddressList, group_of
from bpm.settings import MIB, ConnectionSettings

SPARE = 8
"""Connections above the bound that are taken all the same, to answer health checks and to say no to others."""

SWEEP_SECONDS = 0.5
"""How often overdue connections are looked for."""

REPORT_SECONDS = 60
"""Refused connections are logged at most this often, however many they are."""

log = structlog.get_logger("bpm.web")


class Timed(Protocol):
    """A connection as seen from here."""

    deadline: float | None
    """When what it does now must be done, by the loop's clock; None while the server works for it."""

    def overdue(self) -> None:
        """End what took too long."""
        ...

    def give_up(self) -> None:
        """Close at once."""
        ...


class Connections:
    """The open connections of one server."""

    def __init__(self, limits: ConnectionSettings, proxies: AddressList, descriptors: int) -> None:
        """Take the settings, whom not to count by address, and how many files connections may use up."""
        self.limits = limits
        self.most = max(1, min(limits.max_open, descriptors - SPARE))
        self.most_of_one = min(limits.max_per_address or max(1, self.most // 2), self.most)
        self.buffered = 0
        """How many bytes of bodies have been received for requests that are not answered."""
        self._most_buffered = limits.max_buffered_mb * MIB
        self._proxies = proxies
        self._open: dict[Timed, str] = {}
        self._by_group: Counter[str] = Counter()
        self._spare: OrderedDict[Timed, None] = OrderedDict()
        self._refused = 0
        self._reported_at = float("-inf")
        self._sweeping = False

    @property
    def open(self) -> int:
        """How many connections are open, those above the bound apart."""
        return len(self._open)

    @property
    def are_buffers_full(self) -> bool:
        """Whether no more of any body can be held."""
        return self.buffered > self._most_buffered

    def admit(self, connection: Timed, peer: str) -> bool:
        """Give a new connection its place; False when it only has a spare one, which it loses to the next but few."""
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        group = "" if self._proxies.allows(peer) else group_of(peer)
        if self.open >= self.most or (group and self._by_group[group] >= self.most_of_one):
            self._note_refusal()
            self._take_spare(connection)
            return False
        self._open[connection] = group
        if group:
            self._by_group[group] += 1
        return True

    def leave(self, connection: Timed) -> None:
        """Forget a closed connection."""
        self._spare.pop(connection, None)
        group = self._open.pop(connection, "")
        if group:
            self._by_group[group] -= 1
            if not self._by_group[group]:
                del self._by_group[group]

    def _take_spare(self, connection: Timed) -> None:
        if len(self._spare) >= SPARE:
            oldest, _ = self._spare.popitem(last=False)
            oldest.give_up()
        self._spare[connection] = None

    def _note_refusal(self) -> None:
        self._refused += 1
        self._report()

    def _report(self) -> None:
        if self._refused and time.monotonic() - self._reported_at >= REPORT_SECONDS:
            log.warning(
                "connections refused",
                refused=self._refused,
                open=self.open,
                most=self.most,
                most_of_one_address=self.most_of_one,
            )
            self._refused, self._reported_at = 0, time.monotonic()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(itertools.chain(self._open, self._spare)):
            if connection.deadline is not None and connection.deadline <= now:
                connection.overdue()
        self._report()
        self._sweeping = bool(self._open or self._spare)
        if self._sweeping:
            loop.call_later(SWEEP_SECONDS, self._sweep)
