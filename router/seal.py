"""A captured request in two parts: what may be seen, and sealed, what proves its sender."""

from dataclasses import replace
from typing import Any

from pydantic_core import from_json, to_json

from bpm.security.redaction import redacted_text
from bpm.security.secrets import SecretBox, SecretError
from router.confidential import Confidential
from router.request import InboundCall, call_of
from router.signatures import Scheme


class RequestSeal:
    """Takes requests apart before they are stored, and puts captured ones together to verify them again."""

    def __init__(self, box: SecretBox) -> None:
        """Take the installation's box."""
        self._box = box

    def columns(self, call: InboundCall, confidential: Confidential) -> dict[str, Any]:
        """Return the columns of a request's row that hold what the sender wrote into its head."""
        headers, query = confidential.headers_to_store(call.headers), confidential.query_to_store(call.query_string)
        hidden = {name: value for name, value in call.headers.items() if headers[name] != value}
        return {
            "path": call.path if confidential.is_known else redacted_text(call.path),
            "query": query,
            "headers": headers,
            "sealed": self._sealed(hidden, confidential, call.query_string if query != call.query_string else None),
        }

    def whole(self, row: Any) -> InboundCall:
        """Return a captured request as it came; what can't be opened any more stays hidden."""
        return self._opened(row, ("signatures", "credentials"))

    def with_signatures(self, row: Any) -> InboundCall:
        """Return a captured request with its signatures, and without a credential, for who verifies it."""
        return self._opened(row, ("signatures",))

    def for_trial(self, row: Any, scheme: Scheme | None) -> InboundCall:
        """Return a captured request for a scheme that is tried out: with its signatures, never with a credential.

        Whoever writes the scheme could find out a credential otherwise, by asking for one beginning after another.
        """
        is_signed = scheme is not None and scheme.kind not in ("none", "static")
        return self.with_signatures(row) if is_signed else call_of(row)

    def _sealed(self, hidden: dict[str, str], confidential: Confidential, query: str | None) -> str | None:
        if not hidden and query is None:
            return None
        signatures = {name: value for name, value in hidden.items() if confidential.is_signature(name)}
        credentials = {name: value for name, value in hidden.items() if name not in signatures}
        kept = {"signatures": signatures, "credentials": credentials, "query": query}
        return self._box.encrypt(to_json(kept).decode())

    def _opened(self, row: Any, parts: tuple[str, ...]) -> InboundCall:
        call = call_of(row)
        if row.sealed is None:
            return call
        try:
            kept = from_json(self._box.decrypt(row.sealed))
        except SecretError:
            return call
        headers = dict(call.headers)
        for part in parts:
            headers |= kept[part]
        query = kept["query"] if "credentials" in parts else None
        return replace(call, headers=headers, query_string=call.query_string if query is None else query)
