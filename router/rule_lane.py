"""The lane of a rule's requests: those with the same key are executed one after another."""

from collections.abc import Mapping
from typing import Any

from bpm.jobs import Lane
from router.config import LaneConfig
from router.shared_key import SharedKey


class RuleLane:
    """Width and pace of a configuration's lanes, and the key by which requests share one."""

    def __init__(self, config_id: int, config: LaneConfig) -> None:
        """Compile the key."""
        self._prefix = f"inbound:{config_id}:"
        self._width = config.max_in_flight
        self._per_second = config.rate_per_second
        self._key = SharedKey(config.key, f"the lane {self._prefix}")

    def of(self, scope: Mapping[str, Any]) -> Lane:
        """Return the lane of a request."""
        return Lane(self._prefix + self._key.of(scope), self._width, self._per_second)
