"""Compiles a configuration's row into a rule, and keeps what is whole of one that can't be used."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bpm.bus import Message, Registry
from bpm.errors import BpmError, Failed
from bpm.expressions import (
    ExpressionError,
    Signer,
    compile_expression,
)
from bpm.security.net import AddressList
from bpm.security.permissions import Authority, stored_authority
from bpm.security.redaction import MIN_REPEATED
from bpm.security.references import References
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.signatures import (
    NO_SOURCES,
    PRESETS,
    STORED,
    Scheme,
    TrustSources,
    Verifier,
    compile_signature,
)
from router.config import RetryConfig, WebHookFields, parse_rate
from router.config_secrets import open_definition
from router.confirming import Confirming
from router.deduplication import delivery_id
from router.dispatch import Dispatch, dispatcher
from router.execution_types import ExecutionType
from router.keyed_rate import KeyedRate
from router.request_secrets import ALWAYS, RequestSecrets
from router.response import ResponseTemplate
from router.rule import Rule
from router.rule_keys import RuleKeys
from router.rule_lane import RuleLane
from router.tables.configs import RuleRow

NEVER = "false"
"""A condition that holds for no request."""


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
            confirming=self._confirming(fields),
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

    def _confirming(self, fields: WebHookFields) -> Confirming | None:
        handshake = fields.handshake
        return Confirming(handshake, self._registry) if handshake is not None and handshake.kind == "confirm" else None

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


def _confidential(verifier: Verifier) -> RequestSecrets:
    scheme = verifier.scheme
    names, parameters, fields = scheme.proving_headers, scheme.proving_parameters, scheme.proving_fields
    is_signed = scheme.kind != "static" and not (scheme.kind == "jwt" and not scheme.body_claim)
    if is_signed:
        return RequestSecrets(signatures=names, parameters=parameters, fields=fields)
    if scheme.kind != "static":
        return RequestSecrets(names, parameters=parameters, fields=fields)
    texts = (key.value.decode("utf-8", "replace") for key in verifier.keys)
    long = frozenset(text for text in texts if len(text) >= MIN_REPEATED)
    return RequestSecrets(names, parameters=parameters, fields=fields, values=long)


def _confidential_of_broken(signature: Mapping[str, Any]) -> RequestSecrets:
    """Return what a signature that can't be used calls secret, as far as it says so."""
    preset = PRESETS.get(str(signature.get("scheme")))
    header, (kind, _, name) = str(signature.get("header") or ""), str(signature.get("signatureIn") or "").partition(":")
    also = tuple(place for place in signature.get("signatureAlsoIn") or () if isinstance(place, str))
    place = f"{kind}:{name}" if name else ""
    said = Scheme("custom", "static", header, signature_in=place, signature_also_in=also)
    schemes = [said] if preset is None else [said, preset]
    return RequestSecrets(
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


def _readable_condition(when: object) -> str:
    try:
        return compile_expression(when).source if isinstance(when, str) else NEVER
    except ExpressionError:
        return NEVER


def _refusing(reason: str) -> Dispatch:
    def refuse(_scope: Mapping[str, Any]) -> Message[Any]:
        raise Failed(reason)

    return Dispatch("", refuse)
