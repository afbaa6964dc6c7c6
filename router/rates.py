"""The rates of rules, counted in the memory of this process."""

import time
from dataclasses import replace

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from bpm.errors import RateLimited
from bpm.security.allowances import Allowance, Allowances
from bpm.security.net import group_of
from router.decision.verdict import PASSED, Verdict
from router.request import InboundCall
from router.rule import Rule


class Rates:
    """Counts judged requests: those of a rule's own by rule, refused ones by rule and address.

    Only what is proven uses up a rule's rate; whoever is refused uses up nobody's allowance but its own.
    """

    def __init__(self) -> None:
        """Begin with no rates counted."""
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._refused = Allowances()

    def count(self, rule: Rule, call: InboundCall, verdict: Verdict) -> Verdict:
        """Count a judged request of a rule that has a rate, and return the verdict from then on."""
        if rule.rate is None:
            return verdict
        return self._passed(rule, rule.rate) if verdict.passed else self._refusal(rule, rule.rate, call, verdict)

    def _passed(self, rule: Rule, rate: RateLimitItem) -> Verdict:
        if self._limiter.hit(rate, str(rule.id)):
            return PASSED
        reset = self._limiter.get_window_stats(rate, str(rule.id)).reset_time
        return Verdict("rate", f"more than {rate}", _too_many(reset - time.time()))

    def _refusal(self, rule: Rule, rate: RateLimitItem, call: InboundCall, verdict: Verdict) -> Verdict:
        """Keep the verdict; an address that is refused more often than the rule's rate is told to wait."""
        allowance = Allowance(rate.amount, rate.get_expiry() / rate.amount)
        wait = self._refused.take((rule.id, group_of(call.address)), allowance)
        return replace(verdict, error=_too_many(wait)) if wait else verdict


def _too_many(seconds: float) -> RateLimited:
    return RateLimited("Too many requests", retry_after=max(1.0, seconds))
