"""What a request of a rule or provider becomes: a message, its sender, and the error where there is none."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

import structlog

from bpm.bus import Bus, Message
from bpm.errors import BpmError, Defect, Failed, NotFound, Unavailable
from bpm.security.causation_header import HEADER as CAUSE
from bpm.security.permissions import Authority, Principal, acting
from bpm.security.redaction import hidden_from_logs, without_secrets_of
from bpm.threads import beside_loop
from router.fixed_routes import FixedRoutes
from router.providers import Call, Refusal
from router.replay.replayed_as import ReplayedAs, ReplayedRules
from router.request import InboundCall
from router.rule import Rule
from router.tables.requests import RequestRow

log = structlog.get_logger("router")

Present = Callable[[Principal], Awaitable[Principal]]
"""Returns somebody with what they may do now; raises `Forbidden` when an account is gone or disabled."""


class RequestMessages:
    """Makes the messages of requests."""

    def __init__(self, bus: Bus, fixed: FixedRoutes, replayed: ReplayedRules, present: Present) -> None:
        """Take where messages, providers' routes and rules are known, and who knows what somebody may do now."""
        self._bus = bus
        self._fixed = fixed
        self._replayed = replayed
        self._present = present

    async def of_stored(self, row: RequestRow, call: InboundCall, rule: Rule | None) -> tuple[Message[Any], Principal]:
        """Return the message and sender of a stored request, which is a rule's or a provider's."""
        if row.provider is not None:
            make = partial(self._of_provider, row.provider, call)
            return await beside_loop(call.weight, make, row.organization_id)
        if rule is None:
            raise NotFound("the configuration was deleted before the request was executed")
        if row.replayed_as is not None:
            rule = await self._replayed.rule(row, ReplayedAs.from_json(row.replayed_as))
        sender = None if row.resent_for is None else Authority.from_json(row.resent_for)
        return await self.of_rule(call, rule, sender)

    async def of_rule(
        self, call: InboundCall, rule: Rule, sender: Authority | None = None
    ) -> tuple[Message[Any], Principal]:
        """Return the message and sender of a rule's request; see `principal_of`."""
        message = await beside_loop(call.weight, partial(rule.message, call), rule.organization_id)
        return message, await self.principal_of(rule, sender)

    async def principal_of(self, rule: Rule, sender: Authority | None = None) -> Principal:
        """Return what a rule may do: what its author (or `runAs`) could when it was saved and still can.

        Of a request that a `sender` made by hand it does what that one may do, too.
        """
        authority = rule.authority if sender is None else rule.authority.joined(sender)
        return await self._present(acting("rule", f"rule:{rule.id}", rule.key, rule.organization_id, authority))

    def depth_of(self, call: InboundCall, organization_id: int) -> int:
        """Return how many messages led to a request: some, where a delivery of ours has become it.

        What it causes is then counted to what the delivery goes back to.
        """
        cause = self._bus.causation.read(call.headers.get(CAUSE))
        self._bus.causes.go_back(organization_id, call.id, cause.root)
        return cause.depth

    def _of_provider(self, name: str, call: InboundCall) -> tuple[Message[Any], Principal]:
        entry = (self._fixed.find(call.path) or {}).get(call.method)
        if entry is None:
            raise NotFound(f"the provider {name} is switched off")
        provider, route = entry
        try:
            reception = route.read(Call(call.method, call.headers, call.parameters, call.content, call.address))
        except Refusal as refusal:
            raise Failed(refusal.cause) from refusal
        principal = Principal("provider", f"provider:{name}", name, 1, provider.permissions)
        return self._bus.registry.decode(reception.message_type, reception.fields), principal

    def as_failure(self, error: Exception, call: InboundCall) -> BpmError:
        """Return what a request failed with; raises what says nothing about it, so that it is tried again."""
        if isinstance(error, Unavailable) or self._bus.database.is_outage(error):
            raise error
        if isinstance(error, BpmError):
            error.errors = (*_discreet(error.errors, call), *_other_type(call))
            return error
        if isinstance(error, ValueError):
            return Failed(*_discreet((str(error),), call), *_other_type(call))
        with hidden_from_logs(_payload_of(call)):
            log.error("request can't be made a message", request_id=call.id, exc_info=error)
        return Defect()


def _discreet(sentences: Sequence[str], call: InboundCall) -> tuple[str, ...]:
    """Return sentences without the secrets that the request's body holds: they are written down."""
    return without_secrets_of(sentences, _payload_of(call))


def _other_type(call: InboundCall) -> Iterator[str]:
    """Say that a body looks like JSON where it was read as something else, as of a `curl -d` without a type."""
    with contextlib.suppress(ValueError):
        if call.payload.kind in ("form", "text") and call.content.lstrip()[:1] in (b"{", b"["):
            yield (
                f"the body looks like JSON and was read as a {call.payload.kind}, as its Content-Type says: "
                "send application/json, or set contentType in the rule"
            )


def _payload_of(call: InboundCall) -> Any:
    with contextlib.suppress(ValueError):
        return call.payload.value
    return None
