"""Takes one captured request through a rule: route, decision, message. Nothing is sent or stored."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bpm.bus import Message, Registry
from bpm.errors import BpmError
from bpm.expressions import EvaluationError
from bpm.security.redaction import REDACTED
from bpm.signatures import RequestAddress, SignatureRefusal, SignedRequest
from bpm.signatures.signed_request import finder, parse_place
from router.backtest.difference import Difference, Fate, change_of
from router.backtest.tables import ExaminedRequest
from router.decision import Lookups, decide_for
from router.execution_types import EXECUTION_TYPES
from router.paths import values_at
from router.replay.replays import is_whole
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.rule import Rule
from router.tables import deduplication, requests

ROUTE = "route"
"""The verdict on a request that would not come to the rule."""


class Examiner:
    """Compares what was done with requests, given in the order they came, with what a rule would do.

    The rule counts as enabled, and its rate is not asked for. `others` stand at its address. With `before`, the rule
    as it is saved, the fields of the messages are compared, too.
    """

    def __init__(
        self, rule: Rule, before: Rule | None, registry: Registry, seal: RequestSeal, others: Sequence[Rule] = ()
    ) -> None:
        """Take the rule, what judges requests by it, and what opens their signatures."""
        self._others = others
        self._seal = seal
        self._rule = replace(rule, enabled=True)
        self._before = before
        self._registry = registry
        self._seen: dict[str, tuple[str, datetime]] = {}

    def examine(self, row: ExaminedRequest) -> Difference:
        """Say how the fate of a stored request would change."""
        then = fate_of(row)
        if not is_whole(row):
            return self._difference(row, then, Fate(verdict=then.verdict, detail="the body is not kept"), whole=False)
        call = self._seal.for_trial(row, self._rule.verifier.scheme if self._rule.verifier else None)
        if not self._is_reached(call.path):
            return self._difference(row, then, Fate(ROUTE, f"the configuration does not answer /{call.path}"))
        unchecked = is_proof_hidden(self._rule, call)
        rule = replace(self._rule, verifier=None) if unchecked and then.verdict != "signature" else self._rule
        verdict = decide_for(rule, self._others, call, Lookups(first_with=self._first_with)).verdict
        if not verdict.passed:
            refused = Fate(verdict.cause or "", verdict.detail)
            return self._difference(row, then, refused, unchecked=unchecked)
        message, now = self._message(rule, call)
        differing = self._differing(message, call) if message is not None and then.passed else ()
        return self._difference(row, then, now, fields=differing, unchecked=unchecked)

    def message(self, row: ExaminedRequest) -> Message[Any] | None:
        """Return the message that the rule makes of a stored request, or None when it can't."""
        return self._message(self._rule, self._seal.for_trial(row, None))[0]

    def _is_reached(self, path: str) -> bool:
        """Tell whether a path is the rule's own, or its key."""
        return values_at(self._rule.path, path) is not None or path == self._rule.key != ""

    def _first_with(self, key: str, call: InboundCall) -> str | None:
        """Return the request that had an id before this one, within the time that ids are remembered."""
        first, at = self._seen.setdefault(key, (call.id, call.received_at))
        if first == call.id:
            return None
        if call.received_at - at > deduplication.DEDUPLICATION_WINDOW:
            self._seen[key] = (call.id, call.received_at)
            return None
        return first

    def _message(self, rule: Rule, call: InboundCall) -> tuple[Message[Any] | None, Fate]:
        try:
            message = rule.message(call)
        except (BpmError, EvaluationError, ValueError) as error:
            return None, Fate(error="; ".join(error.errors) if isinstance(error, BpmError) else str(error))
        return message, Fate(message_type=self._registry.of(message).name)

    def _differing(self, message: Message[Any], call: InboundCall) -> tuple[str, ...]:
        """Return the names of the fields that the saved rule would fill in another way."""
        if self._before is None:
            return ()
        former, _ = self._message(self._before, call)
        if former is None or former == message or type(former) is not type(message):
            return ()
        then, now = (each.model_dump(by_alias=True, exclude_unset=True) for each in (former, message))
        names = (then.keys() | now.keys()) - EXECUTION_TYPES[self._rule.fields.execution_type].says_revision
        return tuple(sorted(name for name in names if then.get(name) != now.get(name)))

    def _difference(
        self,
        row: ExaminedRequest,
        then: Fate,
        now: Fate,
        *,
        fields: tuple[str, ...] = (),
        unchecked: bool = False,
        whole: bool = True,
    ) -> Difference:
        return Difference(
            request_id=row.request_id,
            received_at=row.received_at,
            method=row.method,
            path=row.path,
            state=row.state,
            change=change_of(then, now, fields) if whole else "unknown",
            then=then,
            now=now,
            fields=fields,
            unchecked=("signature",) if unchecked else (),
        )


def is_proof_hidden(rule: Rule, call: InboundCall) -> bool:
    """Tell whether what proves the sender may not be looked at by who tries a rule out."""
    if rule.verifier is None or rule.verifier.scheme.kind == "none":
        return False
    try:
        found = finder(parse_place(rule.verifier.scheme.signature_place))(
            SignedRequest(call.body, call.headers, RequestAddress(query=call.query_string))
        )
    except SignatureRefusal:
        return False
    return found is not None and REDACTED in found


def fate_of(row: ExaminedRequest) -> Fate:
    """Return what became of a stored request; one that failed without a message could not be made one."""
    without_message = row.message_type is None and row.cause is None
    error = _error_of(row) if without_message else None
    return Fate(row.cause or requests.PASSED, message_type=row.message_type, error=error)


def with_result(difference: Difference, row: ExaminedRequest, error: str | None) -> Difference:
    """Return a difference with what came of the message: then by the row, and now `error`."""
    then, now = replace(difference.then, error=_error_of(row)), replace(difference.now, error=error)
    return replace(difference, then=then, now=now, change=change_of(then, now, difference.fields))


def _error_of(row: ExaminedRequest) -> str | None:
    return "; ".join(row.errors or ("it failed",)) if row.state in (requests.FAILED, requests.DEAD) else None
