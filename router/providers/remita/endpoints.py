"""Remita: notifications of payments by RRR, and of mandates and debits collected under them.

Remita documents no signature: a request is known by its address, by a header agreed with Remita, or both. A
payment stays unconfirmed until Remita was asked back (`router.providers.remita.confirmation`).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

from bpm.errors import Misconfigured
from bpm.security.net import AddressError, AddressList
from router.providers import (
    Answer,
    Call,
    FixedRoute,
    OpenApiOperation,
    Provider,
    ProviderDeclaration,
    Reception,
    Refusal,
)
from router.providers.credentials import same, secret_text
from router.providers.payload import PayloadFields, as_text, read_json
from router.providers.remita.catalogue import EVENTS
from router.providers.remita.confirmation import RemitaApi
from router.providers.remita.settings import RemitaSettings
from router.request_secrets import RequestSecrets

MAX_ELEMENTS = 2_000
MAX_CAUSES = 10
LAGOS = timezone(timedelta(hours=1))
"""Remita writes local times; Nigeria keeps UTC+1 the whole year."""

DATE_OF = {"ACTIVATION": "activationDate", "DEBIT": "debitDate", "REPAYMENT": "paymentDate"}
"""Where the date of each kind of collection stands; a flat notification is a repayment."""

PAYMENTS, COLLECTIONS = "remita", "remita/collection-notification"
DECLARATION = ProviderDeclaration(
    "remita",
    settings=RemitaSettings,
    confirmation=RemitaApi,
    events=EVENTS,
    reserved=(PAYMENTS, f"{PAYMENTS}/"),
    addresses=(
        OpenApiOperation("POST", f"/api/webhooks/{PAYMENTS}", "receiveRemita", "Remita's payment notifications"),
        OpenApiOperation(
            "POST",
            f"/api/webhooks/{COLLECTIONS}",
            "receiveRemitaCollection",
            "Remita's collection notifications",
        ),
    ),
)

RECEIVED = Answer(200, b"Ok")
NOT_UNDERSTOOD = Answer(400, b"Not Ok")
NOT_ALLOWED = Answer(401, b"Not Ok")

_RRR = re.compile(r"[A-Za-z0-9]{1,50}")
_ID = re.compile(r".{1,100}")
_OFF = "Remita's endpoints are off; set BPM_REMITA__ALLOWED_IPS or BPM_REMITA__HEADER_SECRET to switch them on"


def provider(settings: RemitaSettings) -> Provider:
    """Return Remita's endpoints; off until an address list or a header's secret is set."""
    addresses, secret = _addresses(settings), secret_text(settings.header_secret)
    if not addresses and not secret:
        return Provider("remita", off=_OFF)

    header = settings.header_name.lower()

    def verify(call: Call) -> str | None:
        return _wrong_header(call, header, secret)

    routes = (
        FixedRoute("POST", PAYMENTS, read=read_payments, verify=verify, refused=NOT_ALLOWED),
        FixedRoute("POST", COLLECTIONS, read=read_collections, verify=verify, refused=NOT_ALLOWED),
    )
    confidential = RequestSecrets(frozenset({header}))
    return Provider("remita", routes=routes, addresses=addresses, confidential=confidential)


def read_payments(call: Call) -> Reception:
    """Understand an array of payment notifications, or a single one; raises `Refusal` when none is valid."""
    fields = _read(_objects(call.body), payment, "notifications")
    return Reception("ProcessRemitaPaymentNotificationCommand", fields, RECEIVED)


def read_collections(call: Call) -> Reception:
    """Understand mandate activations, debits and repayments, singly, in line items or in arrays of either."""
    elements = [line for element in _objects(call.body) for line in _lines(element)]
    return Reception("ProcessRemitaCollectionNotificationCommand", _read(elements, collection, "items"), RECEIVED)


def payment(element: object) -> dict[str, Any]:
    """Return a payment notification as `RemitaNotification` wants it; raises `ValueError` with the cause."""
    fields = PayloadFields(element)
    texts = {
        "channel": fields.text("channel", "channnel"),
        "billerName": fields.text("billerName"),
        "bank": fields.text("bank"),
        "branch": fields.text("branch"),
        "serviceTypeId": fields.text("serviceTypeId"),
        "orderRef": fields.text("orderRef"),
        "orderId": fields.text("orderId"),
        "payerName": fields.text("payerName"),
        "payerPhoneNumber": fields.text("payerPhoneNumber", "payerPhone"),
        "payerEmail": fields.text("payerEmail"),
        "type": fields.text("type"),
        "paymentDescription": fields.text("paymentDescription", "description"),
    }
    return {
        "rrr": _rrr(fields),
        "amount": as_text(fields.amount("amount")),
        "chargeFee": as_text(fields.amount("chargeFee")),
        "transactionDate": _utc(fields.moment(LAGOS, "transactionDate")),
        "debitDate": _utc(fields.moment(LAGOS, "debitDate")),
        "customFields": _custom_fields(fields.get("customFieldData")),
        "parentRrrDetails": fields.get("parentRRRDetails"),
        **texts,
    }


def collection(element: object) -> dict[str, Any]:
    """Return a collection's line as `RemitaCollectionItem` wants it; raises `ValueError` with the cause."""
    fields = PayloadFields(element)
    kind = _kind(fields)
    return {
        "type": kind,
        "mandateId": _required(fields, "mandateId", "mandateRef"),
        "requestId": _required(fields, "requestId", "customerId"),
        "date": _required_date(fields, kind),
        "startDate": _day(fields, "startDate"),
        "endDate": _day(fields, "endDate"),
        "amount": as_text(fields.amount("amount")),
        "paymentStatus": fields.text("paymentStatus"),
    }


def _addresses(settings: RemitaSettings) -> AddressList | None:
    try:
        return AddressList.parse(settings.allowed_ips or "") or None
    except AddressError as error:
        raise Misconfigured(f"BPM_REMITA__ALLOWED_IPS: {error}") from None


def _wrong_header(call: Call, name: str, secret: str) -> str | None:
    if not secret:
        return None
    given = call.headers.get(name)
    if given is None:
        return f"the header {name} is missing"
    return None if same(given, secret) else f"the header {name} is not the secret"


def _objects(body: bytes) -> list[Any]:
    try:
        value = read_json(body)
    except ValueError as error:
        raise Refusal(str(error), NOT_UNDERSTOOD) from None
    if not isinstance(value, dict | list):
        raise Refusal("the body must be an array of notifications, or one", NOT_UNDERSTOOD)
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _lines(element: object) -> list[Any]:
    """Return the line items of a notification, each with its notification's type; a flat one is its own line."""
    fields = PayloadFields(element)
    lines: Any = fields.get("lineItems")
    if lines is None:
        return [element]
    kind = fields.text("notificationType")
    items = cast("list[Any]", lines) if isinstance(lines, list) else [lines]
    return [{**item, "notificationType": kind} if isinstance(item, dict) else item for item in items]


def _read(elements: list[Any], read: Callable[[Any], dict[str, Any]], name: str) -> dict[str, Any]:
    """Read each element by itself: the invalid ones are set aside with their causes, the others go on."""
    if not 0 < len(elements) <= MAX_ELEMENTS:
        raise Refusal(f"the body must hold 1 to {MAX_ELEMENTS} notifications, not {len(elements)}", NOT_UNDERSTOOD)
    valid: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for position, element in enumerate(elements):
        try:
            valid.append(read(element))
        except ValueError as error:
            rejected.append({"position": position, "cause": str(error)})
    if not valid:
        causes = (f"[{item['position']}] {item['cause']}" for item in rejected[:MAX_CAUSES])
        raise Refusal("; ".join(causes), NOT_UNDERSTOOD)
    return {name: valid, "rejected": rejected}


def _rrr(fields: PayloadFields) -> str:
    rrr = re.sub(r"[\s-]", "", fields.text("rrr") or "")
    if not _RRR.fullmatch(rrr):
        raise ValueError("rrr: is required, letters and digits with or without dashes")
    return rrr


def _custom_fields(value: object) -> list[dict[str, str | None]]:
    """Remita's own fields, `{DESCRIPTION, PIVAL or COLVAL}`; what is not of that form is left out."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    read = (PayloadFields(item) for item in items)
    return [
        {"description": description, "value": item.text("PIVAL", "COLVAL")}
        for item in read
        if (description := item.text("DESCRIPTION"))
    ]


def _kind(fields: PayloadFields) -> str:
    named = fields.text("notificationType")
    if named:
        return named.upper()[:50]
    return next((kind for kind, name in DATE_OF.items() if fields.get(name) is not None), "REPAYMENT")


def _required(fields: PayloadFields, *names: str) -> str:
    text = fields.text(*names) or ""
    if not _ID.fullmatch(text):
        raise ValueError(f"{names[0]}: is required, at most 100 characters")
    return text


def _required_date(fields: PayloadFields, kind: str) -> str:
    """The date is part of what tells two debits apart, so none may be guessed."""
    name = DATE_OF.get(kind, "date")
    moment = fields.moment(LAGOS, name, "date", *DATE_OF.values())
    if moment is None:
        raise ValueError(f"{name}: is required, as in 31/12/2026")
    return moment.date().isoformat() if _is_day(moment) else moment.isoformat()


def _day(fields: PayloadFields, name: str) -> str | None:
    moment = fields.moment(LAGOS, name)
    return moment.date().isoformat() if moment else None


def _is_day(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)


def _utc(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
