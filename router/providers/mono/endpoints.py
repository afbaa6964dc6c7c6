"""Mono: events about bank accounts and payments, and the browser that comes back from Mono Connect.

Rules from https://docs.mono.co/docs/webhooks: the secret stands in `mono-webhook-secret`, anything but 200 is
sent again with the same `event_id`, for 48 hours.
"""

import hashlib
import re
from typing import Any, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from bpm.errors import Misconfigured
from bpm.security.rate_limiter import RateLimit
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
from router.providers.mono.catalogue import EVENTS
from router.providers.mono.confirmation import MonoApi
from router.providers.mono.settings import MonoSettings
from router.providers.payload import PayloadFields, as_text, read_json
from router.request_secrets import RequestSecrets

PATH = "mono/callback"
HEADER = "mono-webhook-secret"
MAX_NAME = 200
MAX_VALUE = 500

DECLARATION = ProviderDeclaration(
    "mono",
    settings=MonoSettings,
    confirmation=MonoApi,
    events=EVENTS,
    reserved=(PATH,),
    addresses=(
        OpenApiOperation(
            "POST", f"/api/webhooks/{PATH}", "receiveMono", "Mono's events, with the header mono-webhook-secret"
        ),
        OpenApiOperation(
            "GET",
            f"/api/webhooks/{PATH}",
            "returnFromMono",
            "The browser comes back from Mono Connect",
            answers={200: "A small page", 303: "On to the configured address"},
        ),
    ),
)

CONFIDENTIAL = RequestSecrets(credentials=frozenset({HEADER}), parameters=frozenset({"code"}))
"""The secret of the events, and the code for which a browser's account is told once."""

BROWSERS = RateLimit(60, 1.0)
"""How many browsers may come back from one address, which many people of one network share: each has Mono asked."""

RECEIVED = Answer(200, b"OK")
NOT_UNDERSTOOD = Answer(400, b"Bad Request")

_CODE = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
_PAGE_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
)


def provider(settings: MonoSettings) -> Provider:
    """Return Mono's endpoints; off until the webhook secret is set."""
    secret = secret_text(settings.webhook_secret)
    if not secret:
        return Provider("mono", off="Mono's endpoints are off; set BPM_MONO__WEBHOOK_SECRET to switch them on")
    redirect_url = _redirect_url(settings)

    def verify(call: Call) -> str | None:
        return _wrong_secret(call, secret)

    def read_return(call: Call) -> Reception:
        return read_redirect(call, redirect_url)

    events = FixedRoute("POST", PATH, read=read_event, verify=verify)
    returns = FixedRoute("GET", PATH, read=read_return, verify=_anybody, allowance=BROWSERS)
    return Provider("mono", routes=(events, returns), confidential=CONFIDENTIAL)


def read_event(call: Call) -> Reception:
    """Understand `{"event", "event_id"?, "timestamp"?, "data"}`; raises `Refusal`."""
    try:
        fields = PayloadFields(read_json(call.body))
    except ValueError as error:
        raise Refusal(str(error), NOT_UNDERSTOOD) from None
    if fields.get("event") is None and fields.inner("data").get("event") is not None:
        fields = fields.inner("data")  # events of disputes come with their envelope inside another one
    event = fields.text("event")
    if event is None or len(event) > MAX_NAME:
        raise Refusal(f"event: a name of at most {MAX_NAME} characters is required", NOT_UNDERSTOOD)
    data: Any = fields.get("data")
    event_id = _event_id(fields, call.body)
    message: dict[str, Any] = {
        "event": event,
        "eventId": event_id,
        "timestamp": (fields.text("timestamp") or "")[:MAX_NAME] or None,
        "data": _object(data),
    }
    return Reception("ProcessMonoEventCommand", message, RECEIVED, dedupe_key=f"event:{event_id}")


def read_redirect(call: Call, redirect_url: str | None) -> Reception:
    """Understand the query of a browser that comes back from Mono Connect; raises `Refusal`."""
    query = {name: text[:MAX_VALUE] for name, value in call.query.items() if (text := as_text(value))}
    code = query.pop("code", None)
    if code is not None and not _CODE.fullmatch(code):
        raise Refusal("code: is not a code of Mono Connect", _page(400, "Not connected", "This link is damaged."))
    reference = query.get("reference") or query.get("ref")
    if code is None and not (reference or query.keys() & {"status", "reason"}):
        raise Refusal("code, reference or status: one is required", _page(400, "Not connected", "Nothing to do here."))
    message = {
        "code": code,
        "reference": reference,
        "status": query.get("status"),
        "reason": query.get("reason"),
        "query": query,
    }
    answer = _redirect(redirect_url, {"reference": reference, "status": query.get("status")}) or _farewell(code)
    key = f"code:{hashlib.sha256(code.encode()).hexdigest()}" if code else None
    return Reception("CompleteMonoConnectionCommand", message, answer, dedupe_key=key)


def _wrong_secret(call: Call, secret: str) -> str | None:
    given = call.headers.get(HEADER)
    if given is None:
        return f"the header {HEADER} is missing"
    return None if same(given, secret) else f"the header {HEADER} is not the secret"


def _anybody(_call: Call) -> str | None:
    """A browser carries no secret; its code is worth nothing until Mono exchanges it."""
    return None


def _event_id(fields: PayloadFields, body: bytes) -> str:
    given = fields.text("event_id")
    return given if given and len(given) <= MAX_NAME else f"sha256-{hashlib.sha256(body).hexdigest()}"


def _object(data: object) -> Any:
    """Mono's data are objects; another value is kept under a name, so that nothing is lost."""
    if isinstance(data, dict):
        return cast("Any", data)
    return {} if data is None else {"value": data}


def _redirect_url(settings: MonoSettings) -> str | None:
    url = settings.redirect_url or None
    if url and not re.fullmatch(r"https?://[\x21-\x7e]+", url):
        raise Misconfigured("BPM_MONO__REDIRECT_URL must be an address that begins with https:// or http://")
    return url


def _redirect(url: str | None, shown: dict[str, str | None]) -> Answer | None:
    """Send the browser to the configured address, and nowhere else, with what its page may want to show."""
    if url is None:
        return None
    parts = urlsplit(url)
    added = urlencode({name: value for name, value in shown.items() if value})
    target = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))
    return Answer(303, headers=(("Location", target), *_PAGE_HEADERS))


def _farewell(code: str | None) -> Answer:
    if code is None:
        return _page(200, "Not connected", "The connection was not completed. You can close this window.")
    return _page(200, "Thank you", "Your account is being connected. You can close this window.")


def _page(status: int, title: str, text: str) -> Answer:
    page = _PAGE.format(title=title, text=text).encode()
    return Answer(status, page, content_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)
