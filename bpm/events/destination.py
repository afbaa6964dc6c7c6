"""A subscription made ready for work: opened secrets, compiled filter, ordering and transform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from bpm.clock import wire_time
from bpm.events import subscription_tables as tables
from bpm.events.sealing import SigningSecret, open_headers, open_secrets, open_transform, open_url
from bpm.events.signature_style import STANDARD, SignatureStyle, read_style, style_of
from bpm.events.tables import EventRow
from bpm.expressions import EvaluationError, Expression, Template, compile_expression, compile_template
from bpm.jobs import Lane
from bpm.key_text import bounded_key, text_of_key
from bpm.metering import MAX_STEPS
from bpm.security.permissions import Authority
from bpm.security.secret_names import is_secret_parameter
from bpm.security.secrets import SecretBox, SecretError
from bpm.store import Transaction
from bpm.store.committed_cache import CommittedCache

MAX_CACHED = 10_000
MAX_KEY_STEPS = 1_000
"""Steps of an ordering key."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where and how the events of one subscription, at one version, are sent; `broken` says why they can't be.

    `script_authority` is whom the transform's script runs for; it is not known of old subscriptions.
    `audit_authority` is who is asked whether the audit log may be read, None where nobody asked for it.
    """

    id: int
    version: int
    organization_id: int
    name: str
    url: str
    dialect: str
    format: str
    headers: Mapping[str, str]
    secrets: Sequence[SigningSecret]
    filter: Expression | None
    ordering: Expression | None
    template: Template | None
    script: str | None
    max_in_flight: int | None
    rate_per_second: float | None
    retry_count: int | None
    timeout_seconds: int
    broken: str | None = None
    script_authority: Authority | None = None
    audit_authority: Authority | None = None
    signature: SignatureStyle = field(default_factory=lambda: style_of(STANDARD))

    @property
    def credentials(self) -> list[str]:
        """What is sent to the receiver alone: the headers' values, and the secret parameters of the URL."""
        query = parse_qsl(urlsplit(self.url).query)
        return [*self.headers.values(), *(value for name, value in query if is_secret_parameter(name))]

    def wants(self, scope: Mapping[str, Any], steps: int = MAX_STEPS) -> bool:
        """Whether the filter lets an event through, within so many steps; raises `EvaluationError`."""
        return self.filter is None or self.filter.holds(scope, steps)

    def ordering_key(self, scope: Mapping[str, Any]) -> str | None:
        """Return what an event is kept in order by: the subscription's own choice, else the publisher's.

        Values that are equal give the same key, however numbers are written and in whatever order fields stand.
        """
        value = self.ordering.evaluate(scope, MAX_KEY_STEPS) if self.ordering is not None else scope["orderingKey"]
        if value is None:
            return None
        return bounded_key(text_of_key(value))

    def lane(self, ordering_key: str | None) -> Lane | None:
        """Return the lane that an event takes: one behind the other by key, else within the limits, else none."""
        if ordering_key is not None:
            return self._ordered(f"delivery:{self.id}:{ordering_key}")
        if self.max_in_flight is not None or self.rate_per_second is not None:
            return self.overflow
        return None

    def lane_of(self, scope: Mapping[str, Any]) -> Lane | None:
        """Return the lane of an event; one whose ordering key can't be found is delivered out of order."""
        try:
            return self.lane(self.ordering_key(scope))
        except EvaluationError:
            return self.lane(None)

    @property
    def overflow(self) -> Lane:
        """The lane in which deliveries wait that found no place at the destination."""
        return Lane(f"delivery:{self.id}", self.max_in_flight or 10, self.rate_per_second)

    def is_ordered(self, lane: str | None) -> bool:
        """Whether a place in this lane is one of a strict order."""
        return lane is not None and lane != self.overflow.name

    def lane_named(self, name: str) -> Lane:
        """Return the lane of this destination with this name."""
        return self._ordered(name) if self.is_ordered(name) else self.overflow

    def _ordered(self, name: str) -> Lane:
        """Return the lane of one key; all of them keep the destination's pace together."""
        return Lane(name, 1, self.rate_per_second, pace=self.overflow)

    def signing_secrets(self, now: datetime) -> list[str]:
        """Return the secrets that are valid, the newest first."""
        return [s.secret for s in self.secrets if s.expires_at is None or now < s.expires_at]


class Destinations:
    """Destinations by subscription and version, compiled once."""

    def __init__(self, box: SecretBox) -> None:
        """Take the box that opens secrets."""
        self._box = box
        self._known = CommittedCache[tuple[int, int], Destination](MAX_CACHED)

    def of(self, tx: Transaction, id_: int, version: int) -> Destination:
        """Return a destination; one that can't work says so itself."""
        return self._known.get(tx, (id_, version), lambda: self._compile(tx, id_))

    def _compile(self, tx: Transaction, id_: int) -> Destination:
        row = tables.subscription_row(tx, id_)
        assert row is not None  # a subscription is kept for its log, also when it is deleted
        return destination_of(row, self._box)


def destination_of(row: tables.SubscriptionRow, box: SecretBox) -> Destination:
    """Compile a subscription's row; events are kept for it also when its secrets can't be opened."""
    opened, broken = _opened(row, box)
    transform = opened.transform
    return Destination(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        name=row.name,
        url=opened.url,
        dialect=row.dialect,
        format=row.format,
        headers=opened.headers,
        secrets=opened.secrets,
        filter=compile_expression(row.filter, missing="null") if row.filter else None,
        ordering=compile_expression(row.ordering_key, missing="null") if row.ordering_key else None,
        template=compile_template(transform["template"]) if "template" in transform else None,
        script=transform.get("script"),
        max_in_flight=row.max_in_flight,
        rate_per_second=row.rate_per_second,
        retry_count=row.retry_count,
        timeout_seconds=row.timeout_seconds,
        broken=broken,
        script_authority=Authority.from_json(row.script_authority) if row.script_authority else None,
        audit_authority=Authority.from_json(row.audit_authority) if row.audit_authority else None,
        signature=opened.signature,
    )


class _Opened(NamedTuple):
    url: str
    headers: Mapping[str, str] = {}
    secrets: Sequence[SigningSecret] = ()
    transform: Mapping[str, Any] = {}
    signature: SignatureStyle = style_of(STANDARD)


def _opened(row: tables.SubscriptionRow, box: SecretBox) -> tuple[_Opened, str | None]:
    try:
        headers, secrets = open_headers(row.headers, box), open_secrets(row.secrets, box)
        url, transform = open_url(row.url, row.sealed_url, box), open_transform(row.transform, box)
        return _Opened(url, headers, secrets, transform, read_style(row.signature)), None
    except SecretError as error:
        return _Opened(row.url), f"secret: {error}"
    except ValueError:
        return _Opened(row.url), f"signature: deliveries can't be signed as {row.signature} any more; choose another"


def scope_of(event: EventRow) -> dict[str, Any]:
    """Return what filters, ordering keys and transforms see of an event."""
    return {
        "id": event.id,
        "type": event.name,
        "timestamp": wire_time(event.created_at),
        "data": event.data,
        "orderingKey": event.ordering_key,
    }
