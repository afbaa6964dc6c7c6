"""The lane of a rule's requests: those with the same key are executed one after another."""

import hashlib
from collections.abc import Mapping
from typing import Any

import structlog

from bpm.exact_json import write_json
from bpm.expressions import EvaluationError, Template, compile_template
from bpm.jobs import Lane
from router.config import LaneConfig

MAX_KEY = 200
"""Longer keys are replaced by their SHA-256."""
MAX_STEPS = 20_000
"""Steps of making a key, which each request takes before it is accepted."""

log = structlog.get_logger("router")


class RuleLane:
    """Width and pace of a configuration's lanes, and the template of the key by which requests share one."""

    def __init__(self, config_id: int, config: LaneConfig) -> None:
        """Compile the key."""
        self._prefix = f"inbound:{config_id}:"
        self._width = config.max_in_flight
        self._per_second = config.rate_per_second
        self._key: Template | None = compile_template(config.key) if config.key is not None else None

    def of(self, scope: Mapping[str, Any]) -> Lane:
        """Return the lane of a request; those whose key can't be made share one, for they are accepted, too."""
        return Lane(self._prefix + self._rendered(scope), self._width, self._per_second)

    def _rendered(self, scope: Mapping[str, Any]) -> str:
        if self._key is None:
            return ""
        try:
            value = self._key.render(scope, MAX_STEPS)
        except EvaluationError as error:
            log.warning("the key of a lane does not fit", lane=self._prefix, error=str(error))
            return ""
        text = value if isinstance(value, str) else write_json(value).decode()
        return text if len(text) <= MAX_KEY else hashlib.sha256(text.encode()).hexdigest()
