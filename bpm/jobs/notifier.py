"""PgQueuer's notifications within one process, for the embedded job engine."""

import asyncio
from typing import Self

from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.models import HealthCheckEvent, TableChangedEvent, utc_now
from pgqueuer.domain.types import Channel, HealthCheckId
from pgqueuer.ports.driver import NotifyCallback

from bpm.jobs.tables import NAME

CHANNEL = Channel("ch_pgqueuer")


class InProcessNotifier:
    """What PgQueuer calls a driver, without a database behind it: it only carries news to the queue manager."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self.shutdown = asyncio.Event()
        self.tm = TaskManager()
        self._listeners: list[NotifyCallback] = []
        self._rung = False

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Take who wants to hear."""
        self._listeners.append(callback)

    async def __aenter__(self) -> Self:
        """No-op: there is no connection to open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """No-op: there is no connection to close."""

    def ring(self) -> None:
        """Say that the table has changed, once for each turn of the loop."""
        if not self._rung:
            self._rung = True
            asyncio.get_running_loop().call_soon(self._sound)

    def answer(self, question: HealthCheckId) -> None:
        """Answer the manager's question whether it still hears."""
        self._tell(HealthCheckEvent(channel=CHANNEL, sent_at=utc_now(), type="health_check_event", id=question))

    def _sound(self) -> None:
        self._rung = False
        now = utc_now()
        self._tell(
            TableChangedEvent(channel=CHANNEL, sent_at=now, type="table_changed_event", operation="update", table=NAME)
        )

    def _tell(self, event: TableChangedEvent | HealthCheckEvent) -> None:
        text = event.model_dump_json()
        for listener in self._listeners:
            listener(text)
