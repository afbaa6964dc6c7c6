"""Look up what Mono told of: connections, payments, mandates, debits under them, and disbursements."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field

from bpm.bus import Context, Moment, Page, PagedQuery, View, handles
from bpm.bus.paging import When
from commands.payments import mono_tables
from commands.payments.mono_tables import MonoEvent
from router.providers.mono.events import MoneyTold, money_told

Text = Annotated[str, Field(min_length=1, max_length=200)]


class MonoEventRecordView(View):
    """An event of Mono's with what it says about money; `amount` and `fee` are in kobo, `data` is as it came.

    Account numbers and BVN in `data` are redacted.
    """

    id: int
    event_id: str
    """Mono's id of the event."""
    event: str
    """Mono's name of the event."""
    published_as: str
    """The name under which it was published."""
    account_id: str | None
    reference: str | None
    mandate_id: str | None
    """Mono's id of the mandate."""
    disbursement: str | None
    """The reference of the disbursement that a transfer is a part of."""
    status: str | None
    """What Mono calls the status."""
    response_code: str | None
    """The bank's code, as in `00`."""
    amount: Decimal | None
    """The amount in kobo."""
    fee: Decimal | None
    """The fee in kobo."""
    fee_bearer: str | None
    """Who pays the fee, as in `business`."""
    currency: str | None
    session_id: str | None
    """The id of the transfer between banks, which statements name."""
    settled_to: str | None
    """The bank or wallet that the money went to."""
    data: dict[str, Any]
    occurred_at: Moment | None
    """When it happened, by Mono."""
    request_id: str
    created_at: Moment

    @classmethod
    def of(cls, row: MonoEvent) -> Self:
        """Show a stored event."""
        told: MoneyTold = money_told(row.name, row.data)
        return cls.model_validate({**row.model_dump(), "published_as": row.name, **told._asdict()})


class GetMonoEventListQuery(PagedQuery[Page[MonoEventRecordView]]):
    """List Mono's events by the name they are published under, the account, and when they came.

    `event` is one name, as in `mono.mandates.debit.successful`; `searchText` looks into names, ids and accounts.
    """

    permission = "payments:read"
    succeeded = "Mono events retrieved successfully"

    event: Text | None = None
    account_id: Text | None = None
    """Those of this account."""
    since: When | None = None
    until: When | None = None


@handles
def list_events(query: GetMonoEventListQuery, context: Context) -> Page[MonoEventRecordView]:
    """Return one page, the newest first."""
    return query.page(
        context,
        mono_tables.select_mono_events(query.event, query.account_id, query.since, query.until),
        MonoEvent,
        MonoEventRecordView.of,
        search=("name", "event_id", "account_id"),
        sortable={"createdAt": "created_at", "id": "id", "event": "name", "occurredAt": "occurred_at"},
    )
