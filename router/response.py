"""The answer that a configuration prescribes."""

from collections.abc import Mapping
from typing import Any

from bpm.edge.answer import Answer
from bpm.exact_json import write_json
from bpm.expressions import Template, compile_template
from router.answer_headers import compile_headers, to_headers
from router.config import ResponseConfig


class ResponseTemplate:
    """Status, content type, headers and body; templates over the request and, when executed, `result`."""

    def __init__(self, config: ResponseConfig) -> None:
        """Compile the templates."""
        self._status = config.status
        self._type = config.content_type
        self._body: Template | None = compile_template(config.body, missing="null") if config.body is not None else None
        self._headers: Template | None = compile_headers(config.headers) if config.headers else None

    def render(self, scope: Mapping[str, Any]) -> Answer:
        """Return the answer: text as it is, anything else as JSON; raises `EvaluationError`."""
        value = self._body.render(scope) if self._body is not None else ""
        headers = to_headers(self._headers.render(scope)) if self._headers is not None else ()
        if isinstance(value, str):
            return Answer(self._status, value.encode(), self._type or "text/plain; charset=utf-8", headers)
        return Answer(self._status, write_json(value), self._type or "application/json", headers)
