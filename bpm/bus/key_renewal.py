"""Keeps an idempotency key from counting as lost while its effect is going on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog

from bpm.bus.envelope import Envelope
from bpm.bus.idempotency import Idempotency
from bpm.errors import Unavailable
from bpm.store import Database

RENEW_SECONDS = 5.0

log = structlog.get_logger("bpm.bus")


@asynccontextmanager
async def renewed_key(database: Database, idempotency: Idempotency, envelope: Envelope) -> AsyncGenerator[None]:
    """Renew the key under which an effect is run, if there is one, until the block ends."""
    if envelope.idempotency_key is None:
        yield
        return
    renewal = asyncio.create_task(_renew(database, idempotency, envelope))
    try:
        with idempotency.under_way(envelope):
            yield
    finally:
        renewal.cancel()


async def _renew(database: Database, idempotency: Idempotency, envelope: Envelope) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await database.write(lambda tx: idempotency.renew(tx, envelope))
        except Unavailable as error:
            log.warning("an idempotency key could not be renewed", type=envelope.name, error=str(error))
