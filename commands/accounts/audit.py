"""The log of what was done."""

from typing import Annotated

from pydantic import AliasChoices, Field

from bpm.accounts import tables
from bpm.bus import Context, Page, PagedQuery, handles
from bpm.bus.tables import AuditEntry
from commands.accounts.views import AuditEntryView

Words = Annotated[str, Field(min_length=1, max_length=200)]


class GetAuditLogQuery(PagedQuery[Page[AuditEntryView]]):
    """List what was done; `principal` is an id (`user:7`) or a name, `messageType` a command's `$type`.

    Its former name `type` is still read; beside `$type` it is one name twice in the clients that are generated.
    """

    permission = "audit:read"
    succeeded = "Audit log retrieved successfully"

    principal: Words | None = None
    """What this account did: an id or a name."""
    message_type: Words | None = Field(default=None, validation_alias=AliasChoices("messageType", "type"))
    """Commands of this `$type`."""
    request_id: Words | None = None
    correlation_id: Words | None = None
    ok: bool | None = None
    """Those that succeeded, or those that did not."""


@handles
def list_audit_entries(query: GetAuditLogQuery, context: Context) -> Page[AuditEntryView]:
    """Return one page."""
    statement = tables.select_audit_entries(
        query.principal,
        type=query.message_type,
        request_id=query.request_id,
        correlation_id=query.correlation_id,
        ok=query.ok,
    )
    words = ("type", "principal_name", "error")
    return query.page(context, statement, AuditEntry, AuditEntryView.model_validate, search=words)
