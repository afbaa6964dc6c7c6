"""The rates of rules, counted in the memory of this process."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from bpm.errors import RateLimited
from bpm.security.net import group_of
from bpm.security.rate_limiter import RateLimit, RateLimiter
from router.decision.verdict import PASSED, Verdict
from router.keyed_rate import KeyedRate
from router.providers import FixedRoute
from router.request import InboundCall
from router.rule import Rule


class Rates:
    """Counts judged requests: those of a rule's own by rule and by key, refused ones by rule and address.

    Only what is proven uses up a rule's rates; whoever is refused uses up nobody's allowance but its own. Each
    organisation has counters of its own, of which the least used are forgotten when there are too many.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with no rates counted; `now` is in seconds and never goes back."""
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._refused = RateLimiter(now=now)
        self._strangers = RateLimiter(now=now)
        self._keyed: dict[int, RateLimiter] = defaultdict(lambda: RateLimiter(now=now))

    def count(self, rule: Rule, call: InboundCall, verdict: Verdict, key: str) -> Verdict:
        """Count a judged request of a rule that has a rate, and return the verdict from then on."""
        if not verdict.passed:
            return self._refusal(rule, rule.rate, call, verdict) if rule.rate is not None else verdict
        if rule.keyed_rate is None:
            return self._passed(rule, rule.rate) if rule.rate is not None else verdict
        return self._passed_by_key(rule, rule.keyed_rate, call, key)

    def admit(self, route: FixedRoute, call: InboundCall) -> Verdict:
        """Count a request of whoever has nothing to prove by its address, where a route says how many may come."""
        if route.allowance is None:
            return PASSED
        wait = self._strangers.take((route.path, group_of(call.address)), route.allowance)
        return Verdict("rate", "more from one address than the route allows", _too_many(wait)) if wait else PASSED

    def _passed_by_key(self, rule: Rule, keyed: KeyedRate, call: InboundCall, key: str) -> Verdict:
        """Count a request under its key and then for its rule; one that either refuses uses up nothing."""
        counted = self._keyed[rule.organization_id]
        name = (rule.id, group_of(key) if key == call.address else key)
        wait = counted.take(name, keyed.allowance)
        if wait:
            return Verdict("rate", f"more than {keyed} with the same key", _too_many(wait))
        verdict = self._passed(rule, rule.rate) if rule.rate is not None else PASSED
        if not verdict.passed:
            counted.give_back(name, keyed.allowance)
        return verdict

    def _passed(self, rule: Rule, rate: RateLimitItem) -> Verdict:
        if self._limiter.hit(rate, str(rule.id)):
            return PASSED
        reset = self._limiter.get_window_stats(rate, str(rule.id)).reset_time
        return Verdict("rate", f"more than {rate}", _too_many(reset - time.time()))

    def _refusal(self, rule: Rule, rate: RateLimitItem, call: InboundCall, verdict: Verdict) -> Verdict:
        """Keep the verdict; an address that is refused more often than the rule's rate is told to wait."""
        allowance = RateLimit(rate.amount, rate.get_expiry() / rate.amount)
        wait = self._refused.take((rule.id, group_of(call.address)), allowance)
        return replace(verdict, error=_too_many(wait)) if wait else verdict


def _too_many(seconds: float) -> RateLimited:
    return RateLimited("Too many requests", retry_after=max(1.0, seconds))
