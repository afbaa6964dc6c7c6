"""How often somebody may try to sign in: counted in the memory of this process, so that a stranger locks nobody out."""

from collections import OrderedDict

from bpm.errors import RateLimited
from bpm.security.net import group_of
from bpm.security.rate_limiter import MOST_COUNTED, RateLimit, RateLimiter

PAIR = RateLimit(10, 6.0)
"""Tries at one account from one address, or one /64 of IPv6: ten at once, then ten a minute."""
ADDRESS = RateLimit(30, 0.6)
"""Tries at any accounts from one address: so few at once leave room in the queue of password hashes for others."""
ACCOUNT = RateLimit(100, 0.6)
"""Tries at one account from all addresses together."""

PATIENCE_SECONDS = 6.0
"""How long a try beyond an allowance waits for its turn; with a longer wait it is refused."""
MAX_NAME = 100

Pair = tuple[str, str]


class SignInAttempts:
    """Counts each try when it begins, so that many at once gain nothing; a success is taken back.

    An address from which somebody has signed in is known for that account: what others try elsewhere, or at other
    accounts, does not count there. Tries at a known address are bounded by `PAIR` alone.
    """

    def __init__(self, allowances: RateLimiter | None = None) -> None:
        """Start with no tries, and no address known."""
        self._limiter = allowances if allowances is not None else RateLimiter()
        self._known: OrderedDict[Pair, None] = OrderedDict()

    def begin(self, username: str, address: str) -> float:
        """Count a try and return how many seconds it must wait for its turn.

        Raises `RateLimited` when that is longer than `PATIENCE_SECONDS`.
        """
        pair = name, group = _pair(username, address)
        if pair in self._known:
            return self._take(("pair", *pair), PAIR)
        # the address first: names that a refused stranger makes up must not displace what is counted
        wait = self._take(("address", group), ADDRESS)
        try:
            return max(wait, self._take(("pair", *pair), PAIR), self._take(("account", name), ACCOUNT))
        except RateLimited:
            self._limiter.give_back(("address", group), ADDRESS)
            raise

    def is_known(self, username: str, address: str) -> bool:
        """Tell whether this account was signed in to from this address, as far as is remembered."""
        return _pair(username, address) in self._known

    def succeeded(self, username: str, address: str) -> None:
        """Forget the tries at this account from here, and remember the address."""
        pair = name, group = _pair(username, address)
        self._limiter.forget(("pair", *pair))
        if pair not in self._known:
            self._limiter.give_back(("address", group), ADDRESS)
            self._limiter.give_back(("account", name), ACCOUNT)
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > MOST_COUNTED:
            self._known.popitem(last=False)

    def _take(self, who: tuple[str, ...], allowance: RateLimit) -> float:
        wait = self._limiter.take(who, allowance, PATIENCE_SECONDS)
        if wait > PATIENCE_SECONDS:
            raise RateLimited(
                "Too many attempts to sign in; wait before trying again",
                message="Too many attempts",
                retry_after=wait - PATIENCE_SECONDS,
            )
        return wait


def _pair(username: str, address: str) -> Pair:
    """Return the account, however its name is written, and the address as they are counted."""
    return username.strip().casefold()[:MAX_NAME], group_of(address)
