"""A configuration compiled for work: everything that a request needs is prepared once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from limits import RateLimitItem

from bpm.bus import Message
from bpm.edge.answer import Answer
from bpm.expressions import (
    CLOCK,
    KEYS,
    SEED,
    Expression,
    Signer,
    TooManySteps,
)
from bpm.jobs import Lane, RetryPolicy
from bpm.security.net import AddressList
from bpm.security.permissions import Authority
from bpm.security.references import Resolve
from bpm.signatures import (
    RequestAddress,
    SignatureVerdict,
    Verifier,
)
from router.config import WebHookFields, place_among
from router.confirming import Confirming
from router.deduplication import DeliveryId
from router.dispatch import Dispatch
from router.execution_types import SIGNATURES, ExecutionType
from router.handshakes import handshake
from router.keyed_rate import KeyedRate
from router.paths import ADDRESSES, values_at
from router.request import InboundCall
from router.request_secrets import ALWAYS, RequestSecrets
from router.response import ResponseTemplate
from router.rule_lane import RuleLane

log = structlog.get_logger("router")


@dataclass(frozen=True, slots=True)
class Rule:
    """One configuration at one revision.

    `methods` begin with the one that is its `action`. Of the rules at an address the first whose `condition` holds
    takes a request, one without takes what is left. From `expires_at` on it takes none.
    `confidential` is what of a request nobody may see. `broken` says why every request must be refused; `verifier`
    is None only then, or when no signature was asked for. `resolve` reads the references among the
    secrets.
    """

    id: int
    key: str
    organization_id: int
    revision: int
    enabled: bool
    paused: bool
    methods: tuple[str, ...]
    path: str
    fields: WebHookFields
    resolve: Resolve
    authority: Authority
    addresses: AddressList | None
    rate: RateLimitItem | None
    max_body_bytes: int
    verifier: Verifier | None
    dedupe: DeliveryId | None
    retry: RetryPolicy
    response: ResponseTemplate | None
    dispatch: Dispatch
    lane: RuleLane | None = None
    keyed_rate: KeyedRate | None = None
    confirming: Confirming | None = None
    condition: Expression | None = None
    expires_at: datetime | None = None
    signer: Signer | None = None
    base_url: str = ""
    confidential: RequestSecrets = ALWAYS
    broken: str | None = None
    disabled_because: str = "the configuration is not active"

    def at_rest(self) -> "Rule":
        """Return the rule of an organisation that is switched off."""
        return replace(self, enabled=False, disabled_because="the organisation is switched off")

    @property
    def place(self) -> int:
        """Where the rule stands among those at its address."""
        return place_among(self.fields.order)

    @property
    def sync(self) -> bool:
        """Whether the caller waits for the outcome."""
        return self.fields.response_mode == "sync"

    def answers_at(self, moment: datetime) -> bool:
        """Tell whether the rule is active at a moment."""
        return self.enabled and (self.expires_at is None or moment < self.expires_at)

    def wants(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether the condition holds, which it does not where what it names is missing; raises `TooManySteps`."""
        try:
            return self.condition is None or self.condition.holds(scope)
        except TooManySteps:
            raise
        except ValueError:
            return False

    def greeting(self, call: InboundCall) -> Answer | None:
        """Return the answer to a provider's question; None when the request is none."""
        if self.fields.handshake is None:
            return None
        return handshake(self.fields.handshake, call.method, call.parameters, call.headers, call.content, self.resolve)

    def delivery_id(self, call: InboundCall) -> str | None:
        """Return the id by which the repetitions of a request are known, or None."""
        return self.dedupe(call) if self.dedupe is not None else None

    def path_values(self, path: str) -> dict[str, str]:
        """Return the values of the path's parameters; there are none when the key was used instead."""
        return (values_at(self.path, path) or {}) if "{" in self.path else {}

    @property
    def knows_its_callers(self) -> bool:
        """Whether only known senders get so far as to be executed: they sign, or come from a listed address."""
        return self.addresses is not None or (self.verifier is not None and self.verifier.scheme.kind != "none")

    @property
    def verifies_by_script(self) -> bool:
        """Whether a script has to verify the signatures itself, because no scheme was asked for."""
        is_code = self.fields.execution_type is ExecutionType.CODE
        return is_code and self.fields.signature is None and self.broken is None

    def scope(self, call: InboundCall) -> dict[str, Any]:
        """Return what templates, scripts and processes see of a request, its body read as the rule says.

        The time of templates is when the request came, and their ids are made of its own: each attempt sees the same.
        """
        call.read_as(self.fields.content_type)
        seen = call.scope(self.path_values(call.path), self.confidential)
        seen[CLOCK], seen[SEED] = call.received_at, call.id
        return seen

    def _signing_scope(self, call: InboundCall) -> dict[str, Any]:
        """Return what templates see that may sign with the rule's keys; conditions and keys of lanes may not."""
        seen = self.scope(call)
        return seen if self.signer is None else {**seen, KEYS: self.signer}

    def message(self, call: InboundCall) -> Message[Any]:
        """Return the message that a request becomes; raises a `BpmError` or an `EvaluationError` that says why not."""
        if self.confirming is not None and (confirmation := self.confirming.message(call)) is not None:
            return confirmation
        scope = self._signing_scope(call)
        if self.verifies_by_script:
            scope[SIGNATURES] = self.confidential.signatures_to_use(call.headers)
        return self.dispatch.make(scope)

    @property
    def sends(self) -> str:
        """The `$type` of the messages that requests become."""
        return self.dispatch.sends

    def verify(self, call: InboundCall) -> SignatureVerdict | None:
        """Return whether a request is the provider's; None when no signature is asked for.

        A compressed body is signed as it was sent or, by providers that compress last, as it was before.
        """
        if self.verifier is None:
            return None
        found = self._verify(self.verifier, call, call.body)
        if found.ok or found.is_pending or not call.is_compressed:
            return found
        try:
            expanded = self._verify(self.verifier, call, call.content)
        except ValueError:
            return found
        return expanded if expanded.ok else found

    def _verify(self, verifier: Verifier, call: InboundCall, body: bytes) -> SignatureVerdict:
        address = RequestAddress(call.method, f"{ADDRESSES[0]}{call.path}", call.query_string, self.base_url)
        return verifier.verify(body, call.headers, call.received_at.timestamp(), address)

    @property
    def executes_first(self) -> bool:
        """Whether the answer is known only when the request has been executed."""
        return self.sync and not self.paused

    def prescribed_answer(self, call: InboundCall, **more: Any) -> Answer | None:
        """Render the configuration's own answer; None without one, or when it does not fit this request.

        What was taken in is not answered with a failure because of a template: the caller would send it again.
        """
        if self.response is None:
            return None
        try:
            return self.response.render({**self._signing_scope(call), **more})
        except ValueError as error:  # also half a surrogate pair, which can't be sent
            log.warning("response template does not fit", rule=self.key, request_id=call.id, error=str(error))
            return None

    def lane_of(self, call: InboundCall) -> Lane | None:
        """Return the lane in which a request is executed, or None."""
        return self.lane.of(self.scope(call)) if self.lane is not None else None

    def rate_key_of(self, call: InboundCall) -> str:
        """Return the key under which a request is counted; raises `ValueError` when its body can't be read."""
        return self.keyed_rate.key_of(self.scope(call)) if self.keyed_rate is not None else ""


def hide_alike(rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules of an address, each hiding what proves a sender to any rule that takes one of its methods.

    A sender can't know which of them will take its request, and sends its credential to all.
    """
    return [replace(rule, confidential=_hidden_beside(rule, rules)) for rule in rules]


def _hidden_beside(rule: Rule, rules: Sequence[Rule]) -> RequestSecrets:
    hidden = rule.confidential
    for other in rules:
        if other is not rule and not set(rule.methods).isdisjoint(other.methods):
            hidden = hidden.joined(other.confidential)
    return hidden
