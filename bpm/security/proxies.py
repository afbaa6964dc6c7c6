"""Whose request a proxy passes on: what `X-Forwarded-For` or `Forwarded` (RFC 7239) says, and when that counts.

A proxy writes one of the two and passes on the other from anybody. Where the two disagree, or the one that counts
can't be read, nobody knows who is asking: the address is `UNKNOWN`, which no list allows.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Self

from bpm.security.net import AddressList, canonical, parse_address, without_port

UNKNOWN = "unknown"
"""The address of a request that a trusted proxy passed on without telling for whom."""

FORWARDED_FOR = "x-forwarded-for"
FORWARDED = "forwarded"

MAX_HOPS = 50

_PAIR = re.compile(
    r"""\s*(?P<name>[\w!#$%&'*+.^`|~-]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s",;]*))\s*(?P<end>[,;]|$)"""
)


class Proxies:
    """The proxies that are believed, and the header in which they tell the client's address."""

    def __init__(self, trusted: AddressList, header: str | None = None) -> None:
        """Take the proxies' addresses; without a `header` both count, as long as they agree."""
        self.trusted = trusted
        self._headers = (header,) if header else (FORWARDED_FOR, FORWARDED)
        self._is_required = header is not None

    @classmethod
    def parse(cls, trusted: str, header: str | None) -> Self:
        """Read the settings `trusted_proxies` and `proxy_header`; raises `AddressError`."""
        return cls(AddressList.parse(trusted), header)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the address of the client whose connection comes from `peer`; header names are in lower case.

        It is the peer's own, unless that is a trusted proxy. Then it is the rightmost entry of the header that is
        not itself trusted, and `UNKNOWN` when that can't be read.
        """
        peer = canonical(peer)
        if not self.trusted.allows(peer):
            return peer
        chains = [_READERS[name](headers[name]) for name in self._headers if name in headers]
        if not chains:
            return UNKNOWN if self._is_required else peer
        found = {self._last_untrusted(chain) for chain in chains}
        return found.pop() if len(found) == 1 else UNKNOWN

    def _last_untrusted(self, chain: list[str]) -> str:
        """Walk from the nearest hop outwards while hops are trusted; the first hop of all may be a proxy's own."""
        nearest = UNKNOWN
        for entry in reversed(chain[-MAX_HOPS:]):
            address = parse_address(entry)
            nearest = UNKNOWN if address is None else str(address)
            if not self.trusted.allows(nearest):
                return nearest
        return nearest if len(chain) <= MAX_HOPS else UNKNOWN


def _forwarded_for(header: str) -> list[str]:
    entries = header.rsplit(",", MAX_HOPS + 1)
    return [without_port(entry.strip()) for entry in entries if entry.strip()]


def _forwarded(header: str) -> list[str]:
    """Return the `for` of each element; an element without one, or that can't be read, stands for a hop unknown."""
    return [without_port(address) for address in _elements(header)]


def _elements(header: str) -> Iterator[str]:
    at, addresses = 0, list[str]()
    while (pair := _PAIR.match(header, at)) is not None:
        if pair["name"].lower() == "for":
            addresses.append(pair["plain"] if pair["quoted"] is None else pair["quoted"])
        at = pair.end()
        if pair["end"] != ";":
            yield addresses[0] if len(addresses) == 1 else UNKNOWN
            addresses = []
        if not pair["end"]:
            return
    yield UNKNOWN


_READERS = {FORWARDED_FOR: _forwarded_for, FORWARDED: _forwarded}
