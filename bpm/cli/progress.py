"""Waits for long work of a server, and shows on a terminal how far it is."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

POLL_SECONDS = 0.5


async def wait_for_end(
    ask: Callable[[], Awaitable[Any]],
    done_of: Callable[[Any], int],
    ends: Collection[str],
    what: str,
    *,
    shows: bool,
) -> Any:
    """Ask how far work is until its `state` is one of `ends`, and return the last answer."""
    import asyncio

    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not shows) as progress:
        task = progress.add_task(what, total=None)
        while True:
            found = await ask()
            progress.update(task, total=found["total"], completed=done_of(found))
            if found["state"] in ends:
                return found
            await asyncio.sleep(POLL_SECONDS)
