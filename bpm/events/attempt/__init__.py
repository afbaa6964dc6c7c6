"""The HTTP client of deliveries: one request, within its limits, to an address that was checked.

httpx's requests and responses over aiohttp's connections, without httpx's client: it would cost as much again, and
keep the receivers' cookies (`docs/decisions`). The libraries are loaded with the first delivery.
"""

from bpm.events.attempt.client import AttemptClient

__all__ = ["AttemptClient"]
