"""How this process is doing, as `GetSystemStatusQuery` shows it."""

import time
from importlib.metadata import version
from typing import Any

from bpm.app.foundation import Foundation
from bpm.app.routing import Routing
from bpm.edge.lifecycle import Lifecycle
from bpm.store import Transaction
from scripts import Sandbox

VERSION = version("bpm-bus")


class ProcessStatus:
    """Asks the parts that know how much work waits, and what is off."""

    def __init__(self, foundation: Foundation, lifecycle: Lifecycle, sandbox: Sandbox, routing: Routing) -> None:
        """Take the parts; the process counts as started now."""
        self._foundation = foundation
        self._lifecycle = lifecycle
        self._sandbox = sandbox
        self._routing = routing
        self._started = time.monotonic()

    def begin(self) -> None:
        """Count the uptime from now on: everything is open."""
        self._started = time.monotonic()

    def report(self, tx: Transaction) -> dict[str, Any]:
        """Return the fields of `SystemStatusView` that one process knows of itself."""
        database, jobs = self._foundation.database, self._foundation.jobs
        return {
            "version": VERSION,
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "writer_waiting": database.waiting,
            "jobs_waiting": jobs.waiting(tx),
            "jobs_running": jobs.running,
            "workers": self._foundation.worker_watch.alive,
            "webhooks": len(self._routing.routes),
            "sandbox_locks": dict(self._sandbox.locks),
            "endpoints_off": self._routing.fixed.off(),
            "draining": self._lifecycle.draining,
        }
