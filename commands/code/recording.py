"""What is written down of a run: figures anybody may list, and sealed, all that is needed to replay it."""

import base64
import hashlib
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import PydanticSerializationError

from bpm.bus import Envelope
from bpm.errors import Failed
from bpm.exact_json import read_json, write_json
from bpm.security.identifiers import new_id
from bpm.security.secrets import SecretBox, SecretError
from scripts import Run


class RecordedAnswer(BaseModel):
    """A command of a run: its name, the fingerprint of its fields, and what it came to.

    `refused` holds code, message and errors.
    """

    command: str
    fields: str
    at_end: bool = False
    data: Any = None
    refused: tuple[int | str, str, list[str]] | None = None


class Recording(BaseModel):
    """A run: what it was given, in order what its commands were answered, and what it came to.

    `signature_headers` are given only to the same script again, and shown to nobody; `raw_body` is shown to nobody.
    """

    code: str
    inputs: dict[str, Any]
    signature_headers: dict[str, str] = Field(default_factory=dict[str, str])
    raw_body: str | None = None
    seed: int
    now: datetime
    answers: list[RecordedAnswer]
    outcome: dict[str, Any]

    def sealed(self, box: SecretBox, most: int) -> str | None:
        """Return the recording encrypted; None when it takes more than `most` bytes or cannot be written down."""
        try:
            written = write_json(self)
        except PydanticSerializationError:
            return None
        return box.encrypt(written.decode()) if len(written) <= most else None

    @classmethod
    def opened(cls, sealed: str | None, box: SecretBox) -> "Recording":
        """Return what was sealed; raises `Failed` when it was not kept or cannot be read any more."""
        if sealed is None:
            raise Failed("the run was larger than is kept (BPM_SCRIPTS__RECORDED_BYTES), so it can't be replayed")
        try:
            return cls.model_validate(read_json(box.decrypt(sealed)))
        except (SecretError, ValidationError, ValueError) as error:
            raise Failed(f"the recorded run can't be read any more: {error}") from error


def with_signatures(inputs: dict[str, Any], signature_headers: dict[str, str]) -> dict[str, Any]:
    """Return what a script sees: its inputs, with the signatures among the headers."""
    return {**inputs, "headers": {**inputs["headers"], **signature_headers}} if signature_headers else inputs


def with_body(inputs: dict[str, Any], raw_body: str | None) -> dict[str, Any]:
    """Return what a script sees: its inputs, with the body in `request`; raises `ValueError` when it is no base64."""
    if raw_body is None:
        return inputs
    text = base64.b64decode(raw_body, validate=True).decode("utf-8", "replace")
    return {**inputs, "request": {**inputs.get("request", {}), "body": text, "bodyBase64": raw_body}}


def outcome_of(run: Run) -> dict[str, Any]:
    """Return what two runs of a script must have in common to be the same."""
    if run.failure is None:
        reply = None if run.reply is None else {"status": run.reply.status, "body": run.reply.body}
        return {"result": run.result, "reply": reply, "variables": run.variables, "logs": run.logs}
    failure = run.failure
    if failure.reason != "error":  # where a limit strikes is chance
        return {"reason": failure.reason}
    return {"reason": "error", "message": failure.message, "line": failure.line, "logs": run.logs}


def row_of(run: Run, envelope: Envelope, created_at: datetime) -> dict[str, Any]:
    """Return the figures of a run as a row without what is sealed."""
    failure = run.failure
    return {
        "organization_id": envelope.principal.organization_id,
        "id": new_id(),
        "request_id": envelope.request_id,
        "correlation_id": envelope.root,
        "sender": envelope.principal.name,
        "reason": failure.reason if failure else None,
        "message": failure.message if failure else None,
        "line": failure.line if failure else None,
        "column": failure.column if failure else None,
        "sends": run.sends,
        "cpu_seconds": run.cpu_seconds,
        "peak_memory_bytes": run.peak_memory_bytes,
        "created_at": created_at,
    }


def source_hash(code: str) -> str:
    """Return by what a source is known: its SHA-256."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
