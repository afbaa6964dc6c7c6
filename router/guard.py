"""One verdict with its cause on every request, in one order.

    known -> enabled -> method -> address -> size -> signature -> form -> rate -> duplicate

What is decided before the body is read stands in `before_body`, then comes `after_body`, and `counted` last, because
only what is proven may use up a rule's rate; duplicates are decided by a unique index when the request is stored
(`router.inbox`).
"""

import time
from dataclasses import dataclass, replace

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from bpm.errors import (
    BpmError,
    Forbidden,
    Malformed,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    TooLarge,
    UnsupportedMedia,
    Unverified,
)
from bpm.media import packing
from bpm.security.allowances import Allowance, Allowances
from bpm.security.net import group_of
from router.mapping import CharsetError
from router.request import InboundCall
from router.rule import Rule

QUARANTINED_CAUSES = frozenset({"unknown", "disabled", "broken"})
"""Refusals that are the rules' fault rather than the request's: kept to be driven again."""
SIGNATURE = "signature"
"""The cause of a request that is not proven to be the provider's."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Passed, or refused for a cause; `error` is what the caller is told, `detail` what the administrator is."""

    cause: str | None = None
    detail: str = ""
    error: BpmError | None = None

    @property
    def passed(self) -> bool:
        """Whether the request may go on."""
        return self.cause is None


PASSED = Verdict()
MAX_SHOWN = 200


def unknown(path: str) -> Verdict:
    """Refuse a path that no configuration has."""
    shown = path if len(path) <= MAX_SHOWN else f"{path[:MAX_SHOWN]}…"
    return Verdict("unknown", f"no configuration has the path or key {shown!r}", NotFound("There is no webhook here"))


def method_refused(method: str, allowed: list[str]) -> Verdict:
    """Refuse a method that the configurations at this path do not have."""
    names = ", ".join(sorted({*allowed, "HEAD"} if "GET" in allowed else allowed))
    return Verdict("method", f"the configuration answers {names}", MethodNotAllowed(method, names))


def address_refused(address: str) -> Verdict:
    """Refuse a client whose address is not in the list."""
    detail = f"{address} is not among the allowable addresses"
    return Verdict("address", detail, Forbidden("Requests from this address are not allowed"))


class Guard:
    """Judges requests against their rule.

    Rates are counted in the memory of this process, those of a rule's own requests by rule, those of refused ones by
    rule and address: whoever is refused uses up nobody's allowance but its own.
    """

    def __init__(self) -> None:
        """Begin with no rates counted."""
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._refused = Allowances()

    def choose(self, rules: list[Rule], call: InboundCall) -> tuple[Rule, Verdict]:
        """Return which of the rules at an address a request is for, and the verdict before its body is read."""
        for rule in rules:
            if rule.method == call.method:
                return rule, self.before_body(rule, call)
        enabled = [rule for rule in rules if rule.enabled]
        if enabled:
            return enabled[0], method_refused(call.method, [rule.method for rule in enabled])
        return rules[0], self.before_body(rules[0], call)

    def before_body(self, rule: Rule, call: InboundCall) -> Verdict:
        """Judge what is known before the body is read."""
        if not rule.enabled:
            return Verdict("disabled", rule.disabled_because, NotFound("There is no webhook here"))
        if call.method != rule.method:
            return method_refused(call.method, [rule.method])
        if rule.addresses is not None and not rule.addresses.allows(call.address):
            return address_refused(call.address)
        return PASSED

    def too_large(self, limit: int) -> Verdict:
        """Refuse a body over the limit."""
        return Verdict("size", f"the body is over {limit} bytes", TooLarge(f"The body may have at most {limit} bytes"))

    def after_body(self, rule: Rule, call: InboundCall) -> Verdict:
        """Judge the whole request: the signature over the raw bytes, then the body's form."""
        if rule.broken is not None:
            return Verdict("broken", rule.broken, NotFound("There is no webhook here"))
        verdict = self.proven(rule, call)
        return readable(call) if verdict.passed else verdict

    def proven(self, rule: Rule, call: InboundCall) -> Verdict:
        """Judge the signature alone, of a new request or of one that was stored."""
        if rule.verifier is not None:
            found = rule.verifier.verify(call.body, call.headers, call.received_at.timestamp())
            if not found.ok:
                return Verdict(SIGNATURE, found.cause, Unverified("The signature is missing or wrong"))
        return PASSED

    def counted(self, rule: Rule, call: InboundCall, verdict: Verdict) -> Verdict:
        """Count a judged request of a rule that has a rate; dry runs and replays are not counted."""
        if rule.rate is None:
            return verdict
        return self._rate(rule, rule.rate) if verdict.passed else self._refusals(rule, rule.rate, call, verdict)

    def dry(self, rule: Rule, call: InboundCall) -> Verdict:
        """Judge a whole request without counting it, and without looking whether it was here before."""
        verdict = self.before_body(rule, call)
        if verdict.passed and len(call.body) > rule.max_body_bytes:
            return self.too_large(rule.max_body_bytes)
        return self.after_body(rule, call) if verdict.passed else verdict

    def _rate(self, rule: Rule, rate: RateLimitItem) -> Verdict:
        if self._limiter.hit(rate, str(rule.id)):
            return PASSED
        reset = self._limiter.get_window_stats(rate, str(rule.id)).reset_time
        return Verdict("rate", f"more than {rate}", _too_many(reset - time.time()))

    def _refusals(self, rule: Rule, rate: RateLimitItem, call: InboundCall, verdict: Verdict) -> Verdict:
        """Keep the verdict; an address that is refused more often than the rule's rate is told to wait."""
        allowance = Allowance(rate.amount, rate.get_expiry() / rate.amount)
        wait = self._refused.take((rule.id, group_of(call.address)), allowance)
        return replace(verdict, error=_too_many(wait)) if wait else verdict


def _too_many(seconds: float) -> RateLimited:
    return RateLimited("Too many requests", retry_after=max(1.0, seconds))


def greeters(rules: list[Rule], call: InboundCall) -> list[Rule]:
    """Return the rules at an address that may hear a request as a provider's question.

    A request is heard by the rule that takes it, from where that rule allows; where none takes its method, by any.
    Meta's question proves itself by the verify token, so a rule beside may hear it, too.
    """
    is_taken = any(rule.method == call.method for rule in rules)
    return [rule for rule in rules if _may_greet(rule, call, is_taken=is_taken)]


def _may_greet(rule: Rule, call: InboundCall, *, is_taken: bool) -> bool:
    handshake = rule.fields.handshake
    if handshake is None or not rule.enabled:
        return False
    is_meant = rule.method == call.method or not is_taken or handshake.kind == "meta"
    return is_meant and (rule.addresses is None or rule.addresses.allows(call.address))


def readable(call: InboundCall) -> Verdict:
    """Refuse a body that is not what its headers say; nothing else looks at it again."""
    encoding = packing(call.headers.get("content-encoding", ""))
    if encoding is not None:
        detail = f"Content-Encoding: {encoding[:MAX_SHOWN]} is not read here; send the body as it is"
        return Verdict("malformed", detail, UnsupportedMedia(detail))
    try:
        _ = call.payload, call.query
    except CharsetError as error:
        return Verdict("malformed", str(error), UnsupportedMedia(str(error)))
    except ValueError as error:
        return Verdict("malformed", str(error), Malformed(str(error)))
    return PASSED
