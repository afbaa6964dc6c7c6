"""The verdict on a request: passed, or refused for a cause."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bpm.errors import BpmError, Forbidden, MethodNotAllowed, NotFound, TooLarge, Unavailable

Cause = Literal[
    "unknown",
    "disabled",
    "expired",
    "condition",
    "method",
    "address",
    "rate",
    "size",
    "signature",
    "keys",
    "duplicate",
    "malformed",
    "broken",
    "head",
    "handshake",
]
"""Why a request is not executed; the last two are no refusals, nothing more was asked."""
QUARANTINED_CAUSES = frozenset({"unknown", "disabled", "expired", "condition", "broken"})
"""Refusals that are the rules' fault rather than the request's: kept to be driven again."""
UNANSWERED_CAUSES = frozenset({"unknown", "disabled", "expired", "condition", "method"})
"""Refusals that a rule made or switched on elsewhere a moment ago would turn into an answer."""
EXPIRED = "expired"
"""The cause of a request that comes after its rule has expired."""
CONDITION = "condition"
"""The cause of a request that is not what a rule at its address wants."""
ADDRESS = "address"
"""The cause of a request from a client that is not in the list."""
SIGNATURE = "signature"
"""The cause of a request that is not proven to be the provider's."""
KEYS = "keys"
"""The cause of a request that comes before the provider's key is there: it will be sent again."""
SIZE = "size"
"""The cause of a request whose body is over the limit, and is not kept."""
MAX_SHOWN = 200
USABLE_SECONDS = 60
"""After how many seconds a request is welcome again whose rule can't be used: somebody has to mend it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Passed, or refused for a cause; `error` is what the caller is told, `detail` what the administrator is."""

    cause: Cause | None = None
    detail: str = ""
    error: BpmError | None = None

    @property
    def passed(self) -> bool:
        """Whether the request may go on."""
        return self.cause is None


PASSED = Verdict()


def unknown(path: str) -> Verdict:
    """Refuse a path that no configuration has."""
    shown = path if len(path) <= MAX_SHOWN else f"{path[:MAX_SHOWN]}…"
    return Verdict("unknown", f"no configuration has the path or key {shown!r}", NotFound("There is no webhook here"))


def unusable(detail: str) -> Verdict:
    """Refuse what a rule can't judge, as without its secret: the sender may be right, so it is asked to try again."""
    again = Unavailable("The webhook can't be used just now; send the request again", retry_after=USABLE_SECONDS)
    return Verdict("broken", detail, again)


def method_refused(method: str, allowed: Iterable[str]) -> Verdict:
    """Refuse a method that nothing at the address takes."""
    taken = set(allowed)
    names = ", ".join(sorted(taken | {"HEAD"} if "GET" in taken else taken))
    return Verdict("method", f"the configuration answers {names}", MethodNotAllowed(method, names))


def address_refused(address: str) -> Verdict:
    """Refuse a client whose address is not in the list."""
    detail = f"{address} is not among the allowable addresses"
    return Verdict(ADDRESS, detail, Forbidden("Requests from this address are not allowed"))


def unwanted(detail: str) -> Verdict:
    """Refuse a request that no rule at its address wants."""
    return Verdict(CONDITION, detail, NotFound("There is no webhook here for such a request"))


def too_large(limit: int) -> Verdict:
    """Refuse a body over the limit."""
    return Verdict(SIZE, f"the body is over {limit} bytes", TooLarge(f"The body may have at most {limit} bytes"))
