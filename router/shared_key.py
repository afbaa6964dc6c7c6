"""The key by which requests of a rule share something: a lane, or a rate."""

from collections.abc import Mapping
from typing import Any

import structlog

from bpm.expressions import EvaluationError, Template, compile_template
from bpm.key_text import bounded_key, text_of_key

MAX_STEPS = 20_000
"""Steps of making a key, which each request takes before it is accepted."""

log = structlog.get_logger("router")


class SharedKey:
    """Renders the key of a request; requests whose key can't be made share one, and so do all without a template."""

    def __init__(self, template: object, purpose: str) -> None:
        """Compile the template, of which None means one key for all; `purpose` says in logs what is shared."""
        self._template: Template | None = compile_template(template) if template is not None else None
        self._purpose = purpose

    def of(self, scope: Mapping[str, Any]) -> str:
        """Return the key of a request by what templates see of it."""
        if self._template is None:
            return ""
        try:
            value = self._template.render(scope, MAX_STEPS)
        except EvaluationError as error:
            log.warning("a key does not fit", purpose=self._purpose, error=str(error))
            return ""
        return bounded_key(text_of_key(value))
