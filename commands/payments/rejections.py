"""The elements of notifications that were not valid."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from bpm.bus import Context, Integer, Moment, Page, PagedQuery, View, WireModel, handles
from commands.payments import remita_tables, tables
from commands.payments.publication import publish
from commands.payments.remita_tables import RemitaRejection

Kind = Literal["payment", "collection"]


class RejectedElement(WireModel):
    """Which element of the body was not valid, counted from 0 over all of them, and why."""

    position: Annotated[Integer, Field(ge=0)]
    """Where it stands in the body, from 0."""
    cause: Annotated[str, Field(max_length=1000)]
    """Why it is not valid."""


class NotificationView(View):
    """How many elements were new, known already, and not valid."""

    accepted: int
    """How many were new."""
    duplicates: int
    """How many were known already."""
    rejected: int
    """How many were not valid."""


def keep_rejections(context: Context, kind: Kind, rejected: Sequence[RejectedElement]) -> None:
    """Record invalid elements beside the request that brought them, and publish that there were some."""
    request_id = context.envelope.root
    for element in rejected:
        row = {
            "organization_id": context.organization_id,
            "kind": kind,
            "position": element.position,
            "cause": element.cause,
            "request_id": request_id,
            "created_at": context.now(),
        }
        tables.insert_once(context.tx, RemitaRejection, row)
    if rejected:
        elements = [element.model_dump() for element in rejected]
        publish(context, f"remita.{kind}_rejected", {"requestId": request_id, "elements": elements})


class RemitaRejectionView(View):
    """An element that was not valid; the request as it came is found by `requestId`."""

    id: int
    kind: str
    """Which notification it came with."""
    position: int
    """Where it stood in the body, from 0."""
    cause: str
    """Why it is not valid."""
    request_id: str
    created_at: Moment


class GetRemitaRejectionListQuery(PagedQuery[Page[RemitaRejectionView]]):
    """List the elements of Remita's notifications that were not valid, with their causes."""

    permission = "payments:read"
    succeeded = "Rejected elements retrieved successfully"

    kind: Kind | None = None
    """Those of this notification."""


@handles
def list_rejections(query: GetRemitaRejectionListQuery, context: Context) -> Page[RemitaRejectionView]:
    """Return one page, the newest first."""
    statement = remita_tables.select_rejections(query.kind)
    return query.page(context, statement, RemitaRejection, RemitaRejectionView.model_validate, search=("cause",))
