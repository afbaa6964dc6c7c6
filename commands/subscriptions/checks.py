"""What must be true of a subscription besides its fields' types."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from bpm.accounts.limits import require_room
from bpm.bus import Context
from bpm.errors import Forbidden, Invalid
from bpm.events import subscription_tables, tables
from bpm.events.audit_events import READ_AUDIT
from bpm.events.catalogue import EventCatalogue
from bpm.events.headers import header_problems
from bpm.events.names import asks_for_audit
from bpm.events.probe import probe
from bpm.events.signature_style import SignatureStyle
from bpm.events.signing import SecretFormatError, check_secret, is_text
from bpm.expressions import compile_expression, compile_template
from bpm.security.net_targets import TargetError, Targets, read_url
from bpm.security.permissions import WRITE_CODE, Principal
from bpm.settings import Settings
from bpm.spelling import nearest
from scripts import Sandbox, SandboxUnavailable

MAX_HINTS = 3
"""Maximum number of unknown names that get a hint of what was meant."""

STANDARD = "standard"
"""The dialect of subscriptions that were made on the bus."""


def field_problems(fields: Mapping[str, Any]) -> Iterable[str]:
    """Return what is wrong with fields of a subscription that need no look outside; `fields` has any shape."""
    yield from _wrong(fields, "url", read_url)
    yield from _wrong(fields, "secret", _check_any_secret)
    yield from _wrong(fields, "filter", compile_expression)
    yield from _wrong(fields, "orderingKey", compile_expression)
    headers = fields.get("headers")
    if _is_texts(headers):
        yield from header_problems(cast("dict[str, str]", headers))
    yield from _transform_problems(fields.get("transform"))


async def check_url(url: str, targets: Targets, settings: Settings, organization_id: int) -> None:
    """Raise `Invalid` unless the URL may be asked and, when probing is on, a receiver answers there."""
    try:
        target = targets.check_url(url)
        if settings.delivery.probe == "on":
            await probe(target, targets, organization_id)
    except TargetError as error:
        raise Invalid(f"url: {error}") from error


async def check_script(script: str | None, sandbox: Sandbox, author: Principal) -> None:
    """Raise `Invalid` with every problem of a transform's script, `Forbidden` for whoever may not write code."""
    if script is None:
        return
    if not author.allows(WRITE_CODE):
        raise Forbidden(f"transform.script: needs the permission {WRITE_CODE}")
    try:
        found = await sandbox.check(script, str(author.organization_id))
    except SandboxUnavailable as error:
        raise Invalid(f"transform.script: {error}") from error
    if found.problems:
        raise Invalid(*(f"transform.script: line {p.line}, column {p.column}: {p.message}" for p in found.problems))


def _check_any_secret(secret: str) -> str:
    return secret if is_text(secret) else check_secret(secret)


def check_style(style: SignatureStyle, dialect: str, secret: str | None = None) -> None:
    """Raise `Invalid` where a secret was given that a signature can't be made with, or one is an interface's own."""
    if secret is not None and is_text(secret) and not (style.takes_text and dialect == STANDARD):
        _refuse_text(secret)
    if style.has_key_pair and secret is not None:
        raise Invalid("secret: this signature is made with a private key, which is made here; leave the secret out")
    if style.has_key_pair and dialect == "plandocket":
        raise Invalid("signature: plandocket signs with a shared secret as well; choose a scheme that has one")


def _refuse_text(secret: str) -> None:
    try:
        check_secret(secret)
    except SecretFormatError as error:
        raise Invalid(f"secret: {error}") from error


def check_events(events: list[str], context: Context, catalogue: EventCatalogue, dialect: str) -> None:
    """Raise `Invalid` for names that no event type has; `order.*` and `*` stand for whatever comes.

    A subscription made through one of the REST interfaces may want that interface's events, and those that the
    organisation has registered itself.
    """
    own = set(tables.event_type_descriptions(context.tx, context.organization_id))
    known = own | {kind.name for kind in catalogue.kinds.values() if dialect == STANDARD or dialect in kind.families}
    unknown = [(number, name) for number, name in enumerate(events) if not _is_available(name, known, dialect)]
    if unknown:
        raise Invalid(
            *(
                f"events[{number}]: no event type is named {name!r}{_hint(name, known) if place < MAX_HINTS else ''}"
                for place, (number, name) in enumerate(unknown)
            )
        )


def audit_authority(events: list[str], context: Context) -> dict[str, Any] | None:
    """Return who is asked whether the audit log may be read, as it is stored; None where nobody wants to.

    Raises `Forbidden` for whoever may not read it. `*` does not stand for its events.
    """
    wanted = [pattern for pattern in events if asks_for_audit(pattern)]
    if not wanted:
        return None
    if not context.principal.allows(READ_AUDIT):
        raise Forbidden(f"events: {wanted[0]} needs the permission {READ_AUDIT}")
    return context.principal.standing.to_json()


def check_room(context: Context, settings: Settings) -> None:
    """Raise `Invalid` when the organisation has all the subscriptions it may have."""
    count = subscription_tables.count_subscriptions
    require_room(context.tx, context.organization_id, "subscriptions", count, settings)


def _wrong(fields: Mapping[str, Any], name: str, check: Callable[[str], object]) -> Iterable[str]:
    value = fields.get(name)
    if not isinstance(value, str):
        return
    try:
        check(value)
    except ValueError as error:
        yield f"{name}: {error}"


def _transform_problems(transform: object) -> Iterable[str]:
    if not isinstance(transform, dict):
        return
    given = cast("dict[str, Any]", transform)
    if ("template" in given) == ("script" in given):
        yield "transform: needs either template or script"
    if "template" in given:
        try:
            compile_template(given["template"])
        except ValueError as error:
            yield f"transform.template: {error}"


def _is_texts(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    texts = cast("dict[Any, Any]", value)
    return all(isinstance(name, str) and isinstance(text, str) for name, text in texts.items())


def _is_available(name: str, known: set[str], dialect: str) -> bool:
    """Whether a name may be asked for; a REST interface's `order.*` must begin an event of its own, and `*` is none."""
    if not name.endswith("*"):
        return name in known
    return dialect == STANDARD or (name != "*" and any(one.startswith(name[:-1]) for one in known))


def _hint(name: str, known: set[str]) -> str:
    close = nearest(name, sorted(known), count=3)
    return f"; did you mean {', '.join(close)}?" if close else "; RegisterEventTypeCommand adds one"
