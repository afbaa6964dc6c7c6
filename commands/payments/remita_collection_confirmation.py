"""Ask Remita whether a mandate is active, or a debit was made."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, ShownWith, View, handles
from bpm.errors import NotFound
from bpm.exact_json import write_json
from commands.payments import remita_tables
from commands.payments.asked_back import AskedBack
from commands.payments.claims import PaymentClaims
from commands.payments.rechecks import wait_before
from commands.payments.remita_tables import CollectionKey, RemitaCollection
from commands.payments.tables import CONFIRMED
from commands.payments.unanswered import ProviderQuestion
from router.providers.credentials import require_may_ask
from router.providers.remita.confirmation import CollectionStatus, RemitaApi

Identifier = Annotated[str, Field(min_length=1, max_length=100)]
Content = ShownWith("payments:read")


class RemitaCollectionConfirmationView(View):
    """What Remita said: `status` is confirmed, mismatch (see `incident`), or unconfirmed while it is neither."""

    status: str
    """What became of it."""
    provider_status: str | None
    """The code that Remita answered."""
    provider_message: Annotated[str | None, Content]
    """What Remita said of it."""
    amount: Annotated[Decimal | None, Content]
    confirmed_amount: Annotated[Decimal | None, Content]
    """The amount that Remita confirmed."""
    incident: Annotated[str | None, Content]
    """What does not fit."""


class ConfirmRemitaCollectionCommand(Command[RemitaCollectionConfirmationView]):
    """Ask Remita whether a mandate is active or a debit was made; what is confirmed stays confirmed.

    Remita is asked as the installation's merchant, so only the installation may.
    """

    permission = "payments:write"
    succeeded = "Remita collection checked"
    failed = "Confirmation failed"
    sample = {"notificationType": "DEBIT", "mandateId": "1", "requestId": "1", "date": "2026-01-31"}

    notification_type: Literal["ACTIVATION", "DEBIT"]
    """Whether a mandate or a debit is meant."""
    mandate_id: Identifier
    """Remita's id of the mandate."""
    request_id: Identifier
    """Remita's id of the request."""
    date: Annotated[str, Field(max_length=60)]
    """The day, as `GetRemitaCollectionListQuery` shows it."""


@handles
async def confirm(
    command: ConfirmRemitaCollectionCommand, context: EffectContext, remita_api: RemitaApi
) -> RemitaCollectionConfirmationView:
    """Ask, then keep and publish the answer; not yet is an answer too and is asked again later."""
    require_may_ask(context.organization_id)
    key = CollectionKey(command.notification_type, command.mandate_id, command.request_id, command.date)
    question = ProviderQuestion("ConfirmRemitaCollectionCommand", _fields(key), lambda asking: _found(key, asking))
    answer = await question.answer(context, remita_api.collection_status(key.type, key.mandate_id, key.request_id))
    return await context.conclude(lambda concluding: _keep(key, answer, concluding))


def ask_later(context: Context, key: CollectionKey, checks: int) -> None:
    """Have it confirmed by a job that is retried while Remita can't be reached."""
    name = f"remita:{write_json([*key, checks]).decode()}"
    context.later("ConfirmRemitaCollectionCommand", _fields(key), delay=wait_before(checks), key=name)


def _fields(key: CollectionKey) -> dict[str, str]:
    return {
        "notificationType": key.type,
        "mandateId": key.mandate_id,
        "requestId": key.request_id,
        "date": key.date,
    }


def _found(key: CollectionKey, context: Context) -> RemitaCollection | None:
    return remita_tables.remita_collection(context.tx, context.organization_id, key)


def _keep(key: CollectionKey, answer: CollectionStatus, context: Context) -> RemitaCollectionConfirmationView:
    of_all_days = remita_tables.collections_of_all_days(context.tx, context.organization_id, key)
    collection = next((one for one in of_all_days if one.date == key.date), None)
    if collection is None:
        raise NotFound("mandateId: nothing with this type, mandate, request and date was notified")
    if collection.status != CONFIRMED:
        answer = _for_one_day(answer, of_all_days)
        COLLECTIONS.keep(context, collection, answer, lambda checks: ask_later(context, key, checks))
    return RemitaCollectionConfirmationView.model_validate(collection)


def _for_one_day(answer: CollectionStatus, of_all_days: Iterable[RemitaCollection]) -> CollectionStatus:
    """Note for which day it was confirmed already: Remita is asked by mandate and request alone."""
    confirmed = (one for one in of_all_days if one.status == CONFIRMED)
    same = (one for one in confirmed if not _are_two(one.provider_reference, answer.reference))
    return replace(answer, confirmed_for=next((one.date for one in same), None))


def _are_two(reference: str | None, other: str | None) -> bool:
    """Tell whether Remita has names for two debits, and they differ."""
    return reference is not None and other is not None and reference != other


def _said(answer: CollectionStatus) -> dict[str, str | None]:
    return {"provider_reference": answer.reference}


def _incident(collection: RemitaCollection, answer: CollectionStatus) -> str | None:
    """Say what does not fit together; of a mandate no amount is confirmed."""
    if collection.type != "DEBIT":
        return None
    if answer.confirmed_for is not None:
        return f"the debit of this mandate and request was confirmed for {answer.confirmed_for} already"
    if answer.amount is None:
        return "Remita says the debit was made but not how much was debited"
    if collection.amount is not None and collection.amount != answer.amount:
        return f"{collection.amount} was notified but {answer.amount} was debited"
    return None


def _event_data(collection: RemitaCollection) -> dict[str, Any]:
    return {
        "type": collection.type,
        "mandateId": collection.mandate_id,
        "mandateRequestId": collection.mandate_request_id,
        "date": collection.date,
        "status": collection.status,
        "amount": collection.amount,
        "confirmedAmount": collection.confirmed_amount,
        "providerStatus": collection.provider_status,
        "incident": collection.incident,
        "requestId": collection.request_id,
    }


COLLECTIONS = AskedBack(
    event="remita.collection",
    event_data=_event_data,
    claims=PaymentClaims(
        "remita-collection", subject=("type", "mandate_id", "mandate_request_id", "date"), compared=("amount",)
    ),
    incident=_incident,
    said=_said,
    never="Remita was asked for a day and did not confirm it; it said {status}",
)
