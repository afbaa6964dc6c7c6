"""The rate of a rule's requests that have the same key, as those of one account or one address."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from bpm.security.rate_limiter import RateLimit
from router.config import RateConfig
from router.shared_key import SharedKey


class KeyedRate:
    """How many requests with one key are taken: so many at once, and so many a second."""

    def __init__(self, config_id: int, config: RateConfig) -> None:
        """Compile the key."""
        burst = config.burst or max(1, ceil(config.per_second))
        self.allowance = RateLimit(burst, 1 / config.per_second)
        self._text = f"{config.per_second:g} a second and {burst} at once"
        self._key = SharedKey(config.key, f"the rate of configuration {config_id}")

    def __str__(self) -> str:
        return self._text

    def key_of(self, scope: Mapping[str, Any]) -> str:
        """Return the key under which a request is counted."""
        return self._key.of(scope)
