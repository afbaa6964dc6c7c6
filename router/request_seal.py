"""A captured request in two parts: what may be seen, and sealed, what proves its sender."""

from dataclasses import replace
from typing import Any

from bpm.edge.answer import JSON, Answer
from bpm.exact_json import read_json, write_json
from bpm.security.redaction import redacted_text
from bpm.security.sealing import open_text, seal_text
from bpm.security.secrets import SecretBox, SecretError, is_sealed_bytes
from bpm.signatures import SHOWN, Scheme
from router.body_secrets import Span, mask, secret_spans, spans_of_unreadable
from router.request import InboundCall, StoredCall, call_of
from router.request_secrets import RequestSecrets
from router.tables.requests import RequestRow


class RequestSeal:
    """Takes requests apart before they are stored, and puts captured ones together to verify them again."""

    def __init__(self, box: SecretBox) -> None:
        """Take the installation's box."""
        self._box = box

    def columns(self, call: InboundCall, confidential: RequestSecrets) -> dict[str, Any]:
        """Return the columns of a request's row that hold what the sender wrote."""
        headers, query = confidential.headers_to_store(call.headers), confidential.query_to_store(call.query_string)
        hidden = {name: value for name, value in call.headers.items() if headers[name] != value}
        kept = _proofs(hidden, confidential)
        if query != call.query_string:
            kept["query"] = call.query_string
        spans = _spans(call, confidential)
        if spans:
            kept["body"] = [(start, call.body[start:end].decode("latin-1")) for start, end in spans]
        return {
            "path": call.path if confidential.is_known else redacted_text(call.path),
            "query": query,
            "headers": headers,
            "body": mask(call.body, spans) if spans else call.body,
            "sealed": self._box.encrypt(write_json(kept).decode()) if kept else None,
        }

    def whole(self, row: StoredCall) -> InboundCall:
        """Return a captured request as it came; what can't be opened any more stays hidden."""
        return self._opened(row, ("signatures", "credentials"))

    def with_signatures(self, row: StoredCall) -> InboundCall:
        """Return a captured request with its signatures, and without a credential, for who verifies it."""
        return self._opened(row, ("signatures",))

    def without_proofs(self, row: StoredCall) -> InboundCall:
        """Return a captured request with the secrets of its body, and without what proves its sender."""
        return self._opened(row, ())

    def for_trial(self, row: StoredCall, scheme: Scheme | None) -> InboundCall:
        """Return a captured request for a scheme that is tried out: with its signatures, never with a credential.

        Whoever writes the scheme could find out a credential otherwise, by asking for one beginning after another.
        """
        if scheme is not None and scheme.name == "custom" and scheme.reads_fields:
            return call_of(row)
        is_signed = scheme is not None and scheme.kind not in (*SHOWN, "none")
        return self.with_signatures(row) if is_signed else self._opened(row, ())

    def answer_columns(self, answer: Answer | None) -> dict[str, Any]:
        """Return the columns of an answer that is given again to repetitions; its body may hold a secret."""
        return {
            "answer_status": answer.status if answer else None,
            "answer_type": answer.content_type if answer else None,
            "answer_body": self._box.encrypt_bytes(answer.body) if answer else None,
            "answer_headers": self._sealed_headers(answer) if answer and answer.headers else None,
        }

    def answer_of(self, row: RequestRow) -> Answer | None:
        """Return the answer that was given to a request, if one is kept and can be opened.

        Earlier versions kept it as it was.
        """
        if row.answer_status is None:
            return None
        body = row.answer_body or b""
        try:
            body = self._box.decrypt_bytes(body) if is_sealed_bytes(body) else body
            headers = tuple((name, open_text(value, self._box)) for name, value in row.answer_headers or ())
        except SecretError:
            return None
        return Answer(row.answer_status, body, row.answer_type or JSON, headers)

    def _sealed_headers(self, answer: Answer) -> list[list[str]]:
        return [[name, seal_text(value, self._box)] for name, value in answer.headers]

    def _opened(self, row: StoredCall, parts: tuple[str, ...]) -> InboundCall:
        call = call_of(row)
        if row.sealed is None:
            return call
        try:
            kept = read_json(self._box.decrypt(row.sealed))
        except SecretError:
            return call
        headers = dict(call.headers)
        for part in parts:
            headers |= kept.get(part, {})
        query = kept.get("query", call.query_string) if "credentials" in parts else call.query_string
        body = bytearray(call.body)
        for start, text in kept.get("body", ()) if call.body else ():
            body[start : start + len(text)] = text.encode("latin-1")
        return replace(call, headers=headers, query_string=query, body=bytes(body))


def _proofs(hidden: dict[str, str], confidential: RequestSecrets) -> dict[str, Any]:
    signatures = {name: value for name, value in hidden.items() if confidential.is_signature(name)}
    credentials = {name: value for name, value in hidden.items() if name not in signatures}
    parts = {"signatures": signatures, "credentials": credentials}
    return {name: headers for name, headers in parts.items() if headers}


def _spans(call: InboundCall, confidential: RequestSecrets) -> list[Span]:
    """Return where the body holds secrets, whether it can be read or not."""
    if not call.body:
        return []
    if call.is_compressed:
        return [(0, len(call.body))] if _hides_compressed(call, confidential) else []
    try:
        return secret_spans(call.body, call.payload, confidential.fields)
    except ValueError:
        return spans_of_unreadable(call.body)


def _hides_compressed(call: InboundCall, confidential: RequestSecrets) -> bool:
    """Tell whether a compressed body is hidden whole: when there are secrets in it, or nobody can tell."""
    try:
        return bool(secret_spans(call.content, call.payload, confidential.fields))
    except ValueError:
        return True
