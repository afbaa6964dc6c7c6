"""The audit log: a line of every command, in the transaction of its effect."""

import hashlib
import os
from dataclasses import replace
from typing import Any, cast

from bpm.bus import tables
from bpm.bus.envelope import Envelope, Recorder
from bpm.bus.messages import Command
from bpm.bus.outcome import Outcome
from bpm.clock import Clock
from bpm.errors import BpmError
from bpm.exact_json import plain, write_json, write_model
from bpm.security.identifiers import new_id
from bpm.security.permissions import SYSTEM, Principal
from bpm.security.redaction import redacted
from bpm.security.written_secrets import may_be_redacted
from bpm.store import Transaction, WrittenJson
from bpm.threads import INLINE_BYTES, beside_loop, size_of


def _shown(message: Command[Any]) -> Any:
    """Return what the audit log shows of a message's fields."""
    fields = redacted(plain(message, exclude_unset=True), message.secrets)
    return _without_sources(fields, message.sources) if message.sources else fields


def _written(message: Command[Any]) -> WrittenJson:
    """Return the same as JSON; most messages hold nothing that is not shown, and are written as they are."""
    written = write_model(message, exclude_unset=True).decode()
    is_as_shown = not message.sources and not may_be_redacted(written, message.secrets)
    return WrittenJson(written if is_as_shown else write_json(_shown(message)).decode())


def _without_sources(value: object, names: frozenset[str]) -> Any:
    """Return JSON values with source code replaced by what it is known again by, wherever it stands."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {
            name: _fingerprint(inside) if name in names and isinstance(inside, str) else _without_sources(inside, names)
            for name, inside in fields.items()
        }
    if isinstance(value, list):
        return [_without_sources(item, names) for item in cast("list[Any]", value)]
    return value


def _fingerprint(source: str) -> str:
    """Return by what source code is known again: the code itself, and secrets in it, stay where it is kept."""
    return f"sha256:{hashlib.sha256(source.encode('utf-8', 'surrogatepass')).hexdigest()}"


class Audit(Recorder):
    """Every command leaves a line: who, what, from where, with which outcome."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock that dates the lines."""
        self._clock = clock

    async def ahead(self, envelope: Envelope) -> Envelope:
        """Return a large command's envelope with what its line shows, which is not left to the writer's thread."""
        message = envelope.message
        size = size_of(message.__dict__)
        if size <= INLINE_BYTES or not isinstance(message, Command):
            return envelope
        shown = await beside_loop(size, lambda: _written(message), envelope.principal.organization_id)
        return replace(envelope, shown=shown)

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Append the line."""
        message = envelope.message
        if not isinstance(message, Command):
            return
        line = self.line(envelope.principal, envelope.name, envelope.request_id, envelope.address, outcome.error)
        line["fields"] = _shown(message) if envelope.shown is None else envelope.shown
        line["correlation_id"], line["causation_id"] = envelope.root, envelope.causation_id
        line["depth"] = envelope.depth
        tx.append(tables.AUDIT, line)

    def line(
        self, principal: Principal, name: str, request_id: str, address: str, error: BpmError | None
    ) -> dict[str, Any]:
        """Return the line of a command that nothing caused and whose fields were not read."""
        return {
            "organization_id": principal.organization_id,
            "created_at": self._clock(),
            "principal": principal.id,
            "principal_name": principal.name,
            "type": name,
            "fields": None,
            "address": address,
            "ok": error is None,
            "error": "; ".join(error.errors)[:500] if error is not None else None,
            "request_id": request_id,
            "correlation_id": request_id,
            "causation_id": None,
            "depth": 0,
        }


def note_offline_work(tx: Transaction, clock: Clock, name: str, fields: dict[str, Any]) -> None:
    """Leave the line of what a command of the command line did on the database itself, without a server."""
    line = Audit(clock).line(SYSTEM, name, new_id(), "command line", None)
    tx.append(tables.AUDIT, {**line, "fields": {**fields, "uid": os.getuid()}})
