"""Which captured requests a message is about."""

from datetime import datetime
from typing import Any

from sqlmodel.sql.expression import SelectOfScalar

from bpm.bus import Context
from bpm.errors import NotFound
from router.tables import listing, requests
from router.tables.requests import InboundRequest, RequestRow


def get_or_404(request_id: str, context: Context) -> RequestRow:
    """Return a captured request of the sender's organisation, whole; raises `NotFound`."""
    row = requests.find_request(context.tx, context.organization_id, request_id)
    if row is None:
        raise NotFound("No inbound request found with the specified ID")
    return row


def select_matching(
    context: Context, words: str | None, start: datetime | None, end: datetime | None, **wanted: Any
) -> tuple[SelectOfScalar[InboundRequest], datetime | None]:
    """Select requests by the columns in `wanted` (None: any) and by words; return also how far back the words count.

    `start` and `end` bound what is looked through for words; narrowing by them is left to the caller.
    """
    config_key = wanted.pop("config_key", None)
    statement = listing.select_inbound(**wanted)
    if config_key is not None:
        statement = listing.with_config_key(statement, config_key)
    if not words:
        return statement, None
    since = listing.searched_since(context.session, listing.between(statement, start, end))
    return listing.with_words(context.session, statement, words, since), since
