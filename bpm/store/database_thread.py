"""A thread that works on the database, and the one that takes over when what it runs does not end."""

import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from bpm.store.abandoned_threads import Abandoned
from bpm.store.sync_runner import RunSync, SyncRunner
from bpm.store.thread_connection import ThreadConnection
from bpm.store.watchdog import Watchdog

W = TypeVar("W")


class ThreadResources(Generic[W]):
    """What one thread has for itself: its connection, its watch, and what it works on at the moment."""

    def __init__(
        self, link: ThreadConnection, watchdog: Watchdog, take_over: Callable[[], object], run: RunSync
    ) -> None:
        """Be made in the thread whose they are."""
        self.link = link
        self.watch = watchdog.watch(link, take_over)
        self.run_sync = run
        self.work: W | None = None


class DatabaseThread(Generic[W]):
    """Serves in a thread of its own until there is nothing more to do.

    When the watchdog gives the thread up, another one begins: it cuts the connection of the first, finishes its work
    as `finish` says, and serves on. The first ends with `Abandoned` as soon as it comes back.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Connection],
        sync_runner: SyncRunner,
        watchdog: Watchdog,
        serve: Callable[[ThreadResources[W]], None],
        finish: Callable[[ThreadResources[W], ThreadResources[W], W], None],
    ) -> None:
        """Take how to connect, how work is entered and watched, what to do, and how to go on with another's work."""
        self._name = name
        self._connect = connect
        self._sync_runner = sync_runner
        self._watchdog = watchdog
        self._serve = serve
        self._finish = finish
        self._has_begun = False
        self._has_ended = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        self._has_begun = True
        self._begin(None)

    def join(self) -> None:
        """Wait until there is nothing more to do, in whichever thread."""
        if self._has_begun:
            self._has_ended.wait()

    def _begin(self, predecessor: ThreadResources[W] | None) -> None:
        threading.Thread(target=self._run, args=(predecessor,), name=self._name, daemon=True).start()

    def _run(self, predecessor: ThreadResources[W] | None) -> None:
        with contextlib.suppress(Abandoned), self._sync_runner() as run_sync:
            own = ThreadResources[W](
                ThreadConnection(self._connect), self._watchdog, lambda: self._begin(own), run_sync
            )
            try:
                if predecessor is not None:
                    self._take_over(own, predecessor)
                self._serve(own)
            finally:
                run_sync(own.link.drop)
            self._has_ended.set()

    def _take_over(self, own: ThreadResources[W], predecessor: ThreadResources[W]) -> None:
        predecessor.watch.wait_until_looked_at()
        predecessor.link.cut()
        if predecessor.work is not None:
            self._finish(own, predecessor, predecessor.work)
