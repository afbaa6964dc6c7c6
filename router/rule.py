"""A configuration compiled for work: everything that a request needs is prepared once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from limits import RateLimitItem

from bpm.bus import Message, Registry
from bpm.edge.answer import Answer
from bpm.errors import BpmError, Failed
from bpm.expressions import (
    CLOCK,
    KEYS,
    SEED,
    EvaluationError,
    Expression,
    ExpressionError,
    Signer,
    TooManySteps,
    compile_expression,
)
from bpm.jobs import Lane, RetryPolicy
from bpm.security.net import AddressList
from bpm.security.permissions import Authority, stored_authority
from bpm.security.redaction import MIN_REPEATED
from bpm.security.references import References, Resolve
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from router.confidential import ALWAYS, Confidential
from router.config import RetryConfig, WebHookFields, parse_rate, place_among
from router.deduplication import DeliveryId, delivery_id
from router.dispatch import Dispatch, dispatcher
from router.execution_types import SIGNATURES, ExecutionType
from router.handshakes import handshake
from router.keyed_rate import KeyedRate
from router.keys import RuleKeys
from router.lane import RuleLane
from router.paths import ADDRESSES, values_at
from router.request import InboundCall
from router.response import ResponseTemplate
from router.sealing import open_definition
from router.signatures import (
    NO_SOURCES,
    PRESETS,
    STORED,
    RequestAddress,
    Scheme,
    SignatureVerdict,
    TrustSources,
    Verifier,
    compile_signature,
)
from router.tables.configs import RuleRow

log = structlog.get_logger("router")

NEVER = "false"
"""A condition that holds for no request."""


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
    condition: Expression | None = None
    expires_at: datetime | None = None
    signer: Signer | None = None
    base_url: str = ""
    confidential: Confidential = ALWAYS
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
        except EvaluationError as error:
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


def _hidden_beside(rule: Rule, rules: Sequence[Rule]) -> Confidential:
    hidden = rule.confidential
    for other in rules:
        if other is not rule and not set(rule.methods).isdisjoint(other.methods):
            hidden = hidden.joined(other.confidential)
    return hidden


class RuleCompiler:
    """Turns a configuration's row into a rule; never raises, a rule that can't work says so itself."""

    def __init__(
        self, registry: Registry, box: SecretBox, settings: Settings, trust: TrustSources = NO_SOURCES
    ) -> None:
        """Take what rules lean on; `trust` knows the keys that providers publish."""
        self._trust = trust
        self._registry = registry
        self._box = box
        self._settings = settings
        self._references = References(settings.references)

    def __call__(self, row: RuleRow) -> Rule:
        """Compile one row of `webhook_config`."""
        try:
            return self._rule(row, _stored_fields(open_definition(row.definition, self._box)))
        except ValueError as error:
            return self._broken(row, f"the configuration can't be used: {error}")

    def _rule(self, row: RuleRow, fields: WebHookFields) -> Rule:
        resolve = self._references.resolver(row.organization_id)
        verifier = (
            compile_signature(fields.signature, resolve, self._trust.of(row.organization_id))
            if fields.signature
            else None
        )
        return Rule(
            id=row.id,
            key=row.key,
            organization_id=row.organization_id,
            revision=row.revision,
            enabled=row.is_enabled,
            paused=row.paused_at is not None,
            methods=(fields.action, *fields.more_methods),
            path=row.path,
            fields=fields,
            resolve=resolve,
            authority=authority_of(row),
            addresses=AddressList.parse(fields.allowable_ips or "") or None,
            rate=parse_rate(fields.rate_limit) if fields.rate_limit else None,
            max_body_bytes=fields.max_body_bytes or self._settings.max_body_bytes,
            verifier=verifier,
            dedupe=delivery_id(fields.deduplication, verifier.scheme if verifier else None),
            retry=(fields.retry or RetryConfig()).policy(),
            response=ResponseTemplate(fields.response) if fields.response else None,
            dispatch=self._dispatch(row, fields),
            lane=RuleLane(row.id, fields.lane) if fields.lane else None,
            keyed_rate=KeyedRate(row.id, fields.rate) if fields.rate else None,
            condition=compile_expression(fields.when) if fields.when is not None else None,
            expires_at=fields.expires_at,
            signer=Signer(RuleKeys(fields.keys.secrets, resolve).sign) if fields.keys else None,
            base_url=self._settings.base_url,
            confidential=_confidential(verifier) if verifier is not None else ALWAYS,
        )

    def _broken(self, row: RuleRow, reason: str) -> Rule:
        """Keep as much as is whole: what was accepted before the secrets were lost is still executed."""
        without_secrets = {**row.definition, "signature": None, "handshake": None, "keys": None}
        try:
            rule = self._rule(row, _stored_fields(open_definition(without_secrets, self._box)))
        except ValueError:
            rule = replace(self._rule(row, _bare(row)), dispatch=_refusing(reason))
        return replace(rule, confidential=_confidential_of_broken(row.definition.get("signature") or {}), broken=reason)

    def _dispatch(self, row: RuleRow, fields: WebHookFields) -> Dispatch:
        try:
            return dispatcher(row.id, row.key, row.revision, row.organization_id, fields, self._registry)
        except (BpmError, ValueError) as error:
            return _refusing(str(error))


def authority_of(row: RuleRow) -> Authority:
    """Return on whose behalf a rule acts: its author's or `runAs`', never with more than when it was saved.

    Rows from before authorities were stored, and plans of back-tests from then, have none.
    """
    return stored_authority(row.authority, row.run_as_id or row.author_id, row.permissions)


def _stored_fields(definition: Mapping[str, Any]) -> WebHookFields:
    """Read a saved definition, also one with a field that would not be accepted any more."""
    return WebHookFields.model_validate(definition, context=STORED)


def _confidential(verifier: Verifier) -> Confidential:
    scheme = verifier.scheme
    names, parameters, fields = scheme.proving_headers, scheme.proving_parameters, scheme.proving_fields
    is_signed = scheme.kind != "static" and not (scheme.kind == "jwt" and not scheme.body_claim)
    if is_signed:
        return Confidential(signatures=names, parameters=parameters, fields=fields)
    if scheme.kind != "static":
        return Confidential(names, parameters=parameters, fields=fields)
    texts = (key.value.decode("utf-8", "replace") for key in verifier.keys)
    long = frozenset(text for text in texts if len(text) >= MIN_REPEATED)
    return Confidential(names, parameters=parameters, fields=fields, values=long)


def _confidential_of_broken(signature: Mapping[str, Any]) -> Confidential:
    """Return what a signature that can't be used calls secret, as far as it says so."""
    preset = PRESETS.get(str(signature.get("scheme")))
    header, (kind, _, name) = str(signature.get("header") or ""), str(signature.get("signatureIn") or "").partition(":")
    said = Scheme("custom", "static", header, signature_in=f"{kind}:{name}" if name else "")
    schemes = [said] if preset is None else [said, preset]
    return Confidential(
        frozenset[str]().union(*(scheme.proving_headers for scheme in schemes)),
        parameters=frozenset[str]().union(*(scheme.proving_parameters for scheme in schemes)),
        fields=frozenset[str]().union(*(scheme.proving_fields for scheme in schemes)),
    )


def _bare(row: RuleRow) -> WebHookFields:
    """Return the fields that every configuration has, of one whose definition can't be read.

    It takes the requests that it took before, as far as its condition can be read, and no other's.
    """
    return WebHookFields.model_construct(
        description=row.description,
        is_enabled=row.is_enabled,
        path=row.path,
        action=row.action,
        execution_type=ExecutionType(row.execution_type),
        **_choosing(row.definition),
    )


def _choosing(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what chooses a rule's requests; a condition that can't be read holds for none."""
    if definition.get("when") is None:
        return {}
    order, content_type = definition.get("order"), definition.get("contentType")
    return {
        "when": _readable_condition(definition["when"]),
        "order": order if isinstance(order, int) else None,
        "content_type": content_type if isinstance(content_type, str) else None,
    }


def _readable_condition(when: Any) -> str:
    try:
        return compile_expression(when).source if isinstance(when, str) else NEVER
    except ExpressionError:
        return NEVER


def _refusing(reason: str) -> Dispatch:
    def refuse(_scope: Mapping[str, Any]) -> Message[Any]:
        raise Failed(reason)

    return Dispatch("", refuse)
