"""Look up the accounts that Mono told of."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import PlainSerializer

from bpm.bus import Context, Moment, Page, PagedQuery, View, handles
from bpm.security.redaction import REDACTED
from commands.payments import mono_tables
from commands.payments.mono_tables import MonoAccount

SHOWN_DIGITS = 4


def _ending(number: str) -> str:
    return REDACTED + number[-SHOWN_DIGITS:] if len(number) > 2 * SHOWN_DIGITS else REDACTED


AccountNumber = Annotated[str, PlainSerializer(_ending, return_type=str)]
"""An account's number, of which only the last four digits are shown."""

Hidden = Annotated[str, PlainSerializer(lambda _: REDACTED, return_type=str)]
"""Text that is known but not shown."""


class MonoAccountView(View):
    """A bank account connected through Mono; `balance` is in the currency's smallest unit (kobo)."""

    id: int
    account_id: str
    status: str
    """Whether it is connected."""
    data_status: str | None
    """How far Mono's data are."""
    customer: str | None
    """Mono's id of the customer."""
    reference: str | None
    name: str | None
    account_number: AccountNumber | None
    """The number of the account."""
    bvn: Hidden | None
    """The holder's bank verification number, hidden."""
    currency: str | None
    balance: Decimal | None
    """The balance in kobo."""
    account_type: str | None
    """What kind of account it is."""
    institution_name: str | None
    """The bank."""
    institution_type: str | None
    """What kind of bank it is."""
    bank_code: str | None
    """The code of the bank."""
    event_at: Moment | None
    """When Mono last told of it."""
    request_id: str
    created_at: Moment
    updated_at: Moment | None


class GetMonoAccountListQuery(PagedQuery[Page[MonoAccountView]]):
    """List the bank accounts connected through Mono; `searchText` looks into id, name, customer and reference."""

    permission = "payments:read"
    succeeded = "Mono accounts retrieved successfully"

    status: Literal["connected", "reauthorisation_required", "unlinked"] | None = None
    """Those with this status."""


@handles
def list_accounts(query: GetMonoAccountListQuery, context: Context) -> Page[MonoAccountView]:
    """Return one page, the newest first."""
    return query.page(
        context,
        mono_tables.select_accounts(query.status),
        MonoAccount,
        MonoAccountView.model_validate,
        search=("account_id", "name", "customer", "reference"),
        sortable={"createdAt": "created_at", "id": "id", "accountId": "account_id", "name": "name", "status": "status"},
    )
