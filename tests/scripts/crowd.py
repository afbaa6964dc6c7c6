"""Scripts that compute wherever one may, so that others have to wait."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from bpm.testing import until
from scripts import Limits, Sandbox, SandboxBusy

ENDLESS = "while True:\n    pass"
LONG = Limits(cpu_seconds=600, wall_seconds=600)
MORE_THAN_PLACES = 8 + 4 * (os.cpu_count() or 1)


@asynccontextmanager
async def all_places_held(sandbox: Sandbox) -> AsyncGenerator[None]:
    """Let scripts of others compute wherever one may."""
    running = [
        asyncio.create_task(sandbox.run(ENDLESS, {}, owner="other", tenant=str(number), limits=LONG))
        for number in range(MORE_THAN_PLACES)
    ]
    try:
        await until(lambda: is_crowded(sandbox), bool)
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def is_crowded(sandbox: Sandbox) -> bool:
    """Tell whether a script of somebody else finds no place."""
    try:
        await sandbox.run("return 1", {}, owner="third", limits=replace(LONG, wait_seconds=0.2))
    except SandboxBusy:
        return True
    return False
