"""Lines of the audit log as events: what they are called, and what they say.

What is stored of such an event is the number of its line. Whoever may read events but not the audit log learns no
more; what the line says is read when the event is delivered, to whoever may read it then.
"""

from datetime import datetime
from typing import Any, cast

from bpm.clock import wire_time
from bpm.events.audit_tables import AuditLine, audit_line
from bpm.events.names import AUDIT_BEGINNING
from bpm.events.tables import EventRow
from bpm.exact_json import read_json, write_json
from bpm.security.permissions import Permission
from bpm.store import Transaction

SUCCEEDED, FAILED = "audit.succeeded", "audit.failed"

READ_AUDIT: Permission = "audit:read"
"""What a subscription's owner needs to be sent what the audit log says."""

LINE = "auditEntry"
"""Where the data of a stored event has the number of its line."""


NO_LINE = "null"
"""What stands for the data of an event whose line retention has taken."""


def is_audit_event(name: str) -> bool:
    """Tell whether an event of this name says what the audit log does."""
    return name.startswith(AUDIT_BEGINNING)


def name_of(line: AuditLine) -> str:
    """Return what the event of a line is called."""
    return SUCCEEDED if line.ok else FAILED


def data_of(line: AuditLine, most_bytes: int) -> dict[str, Any]:
    """Return what the event of a line says: what `GetAuditLogQuery` answers of it.

    `fields` of more than `most_bytes` are left out, which `fieldsLeftOut` tells.
    """
    is_large = line.fields is not None and len(line.fields.encode()) > most_bytes
    return {
        "id": line.id,
        "createdAt": wire_time(line.created_at),
        "principal": line.principal,
        "principalName": line.principal_name,
        "type": line.type,
        "fields": None if line.fields is None or is_large else read_json(line.fields),
        "fieldsLeftOut": is_large,
        "address": line.address,
        "ok": line.ok,
        "error": line.error,
        "requestId": line.request_id,
        "correlationId": line.correlation_id,
        "causationId": line.causation_id,
    }


def whole_event(tx: Transaction, event: EventRow, most_bytes: int) -> EventRow:
    """Return an event with all it says; one whose line retention has taken, and any other, as it is stored."""
    if not is_audit_event(event.name):
        return event
    line = _line_of(tx, event.organization_id, event.data, event.created_at)
    return event if line is None else event._replace(data=data_of(line, most_bytes))


def whole_data(tx: Transaction, organization_id: int, data: str, at: datetime, most_bytes: int) -> str:
    """Return what a stored event of a moment says, as JSON text; `NO_LINE` when retention has taken its line."""
    stored: Any = read_json(data)
    if LINE not in stored:
        return data  # an example that was sent to see whether the receiver is there
    line = _line_of(tx, organization_id, stored, at)
    return NO_LINE if line is None else write_json(data_of(line, most_bytes)).decode()


def _line_of(tx: Transaction, organization_id: int, stored: object, at: datetime) -> AuditLine | None:
    """Return the line of a stored event; SQLite may have given its number to a younger one."""
    number = cast("dict[str, Any]", stored).get(LINE) if isinstance(stored, dict) else None
    line = audit_line(tx, organization_id, number) if isinstance(number, int) else None
    return line if line is not None and line.created_at == at else None
