"""A decision: all that is known about a request before it is stored."""

from collections.abc import Callable
from dataclasses import dataclass

from bpm.edge.answer import Answer
from bpm.jobs import Lane
from router.decision.verdict import PASSED, Verdict
from router.providers import FixedRoute
from router.request import InboundCall
from router.rule import Rule
from router.source import Source


@dataclass(frozen=True, slots=True)
class Decision:
    """To whom a request belongs, whether it is executed, and how it is answered.

    `rule` takes the request; None for providers' fixed addresses and for strangers. `spoken` answers what is only
    asked, a provider's handshake or HEAD: nothing is stored or executed then. `answer` is what the rule or the
    provider prescribes; None where the usual one is given. `delivery_id` is the provider's id by which repetitions
    are known. Of a refused request `is_proven` tells that a signature proves it to be the provider's, and `is_kept`
    that it is stored with its cause.
    """

    source: Source
    verdict: Verdict = PASSED
    rule: Rule | None = None
    spoken: Answer | None = None
    answer: Answer | None = None
    delivery_id: str | None = None
    lane: Lane | None = None
    is_proven: bool = False
    is_kept: bool = True

    @property
    def dedupe_key(self) -> str | None:
        """The provider's id as it is unique among all sources."""
        return self.source.dedupe_key(self.delivery_id)


def uncounted(_rule: Rule, _call: InboundCall, verdict: Verdict, _key: str) -> Verdict:
    """Keep the verdict: rates are not counted in trials and replays."""
    return verdict


def welcome(_route: FixedRoute, _call: InboundCall) -> Verdict:
    """Let everybody in: addresses are not counted in trials and replays."""
    return PASSED


def unremembered(_key: str, _call: InboundCall) -> str | None:
    """Know no earlier request: live traffic leaves repetitions to the unique index of the store."""
    return None


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a decision asks of others.

    `count` counts a judged request against its rule's rates, under its key, and gives the verdict from then on.
    `admit` counts a request that nothing has to prove against its address's allowance at a provider's route.
    `first_with` gives the id of another request that has a `dedupe_key`, within the time that ids are remembered.
    """

    count: Callable[[Rule, InboundCall, Verdict, str], Verdict] = uncounted
    admit: Callable[[FixedRoute, InboundCall], Verdict] = welcome
    first_with: Callable[[str, InboundCall], str | None] = unremembered


NO_LOOKUPS = Lookups()
