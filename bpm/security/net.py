"""Who is calling: lists of addresses, and the client's address behind trusted proxies."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_ENTRIES = 1_000
MAX_HOPS = 50
CACHE_SIZE = 4_096
MAPPED_PREFIX = 96
SITE_PREFIX = 64

FORWARDED_FOR = re.compile(r'(?:^|[;,])\s*for=(?:"(?P<quoted>[^"]*)"|(?P<plain>[^;,\s"]*))', re.IGNORECASE)
HOST_AND_PORT = re.compile(r"(?P<v4>[\d.]+):\d{1,5}|\[(?P<v6>[^\]]+)\](?::\d{1,5})?")


class AddressError(ValueError):
    """An entry of an address list is neither an address nor a range."""


class AddressList:
    """Addresses and ranges of IPv4 and IPv6; asking the same address again costs one look-up.

    IPv4-mapped IPv6 addresses (`::ffff:a.b.c.d`, RFC 4291, 2.5.5.2) count as IPv4 on both sides.
    """

    def __init__(self, networks: tuple[Network, ...]) -> None:
        """Take the ranges; a single address is a range of one."""
        self.networks = networks
        self._known: dict[str, bool] = {}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read addresses and CIDR ranges between commas; host bits in a range are ignored.

        Raises AddressError naming the first wrong entry.
        """
        entries = [entry.strip() for entry in text.split(",")]
        if len(entries) > MAX_ENTRIES:
            raise AddressError(f"at most {MAX_ENTRIES} addresses or ranges can be listed")
        return cls(tuple(_network(entry) for entry in entries if entry))

    def __bool__(self) -> bool:
        return bool(self.networks)

    def __str__(self) -> str:
        return ", ".join(
            str(network.network_address) if network.num_addresses == 1 else str(network) for network in self.networks
        )

    def allows(self, ip: str) -> bool:
        """Whether the address is in the list; text that is no address never is."""
        known = self._known.get(ip)
        if known is None:
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            known = self._known[ip] = self._contains(parse_address(ip))
        return known

    def _contains(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.networks)


def client_address(peer: str, headers: Mapping[str, str], trusted: AddressList) -> str:
    """The address of the client whose connection comes from `peer`.

    Only if `peer` is a trusted proxy do its headers count (names in lower case): the rightmost entry of
    `X-Forwarded-For`, or of `Forwarded` (RFC 7239), that is not itself trusted. A proxy that writes only one
    of the two passes on the other from anybody; where they disagree, the peer's own address is returned.
    """
    peer = _canonical(peer)
    if not trusted.allows(peer):
        return peer
    chains = [chain for chain in (_forwarded_for(headers), _forwarded(headers)) if chain]
    found = {_last_untrusted(chain, peer, trusted) for chain in chains}
    return found.pop() if len(found) == 1 else peer


@lru_cache(CACHE_SIZE)
def parse_address(text: str) -> Address | None:
    """The address that `text` is, an IPv4-mapped one as IPv4 and without a zone; None if it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


@lru_cache(CACHE_SIZE)
def group_of(address: str) -> str:
    """The addresses that count as one client: an IPv4 address, or the /64 of an IPv6 one, which a site has whole."""
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, SITE_PREFIX), strict=False))
    return str(parsed or address)


def _network(entry: str) -> Network:
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        hint = "addresses and ranges such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32"
        raise AddressError(f"{entry[:60]!r} is not an address or a range; write {hint}") from None
    mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped
    if mapped and network.prefixlen >= MAPPED_PREFIX:
        return IPv4Network((mapped, network.prefixlen - MAPPED_PREFIX))
    return network


@lru_cache(CACHE_SIZE)
def _canonical(text: str) -> str:
    return str(parse_address(text) or text)


def _last_untrusted(chain: list[str], peer: str, trusted: AddressList) -> str:
    """Walk from the nearest hop outwards while hops are trusted; an unreadable entry ends the walk."""
    nearest = peer
    for entry in reversed(chain):
        address = parse_address(entry)
        if address is None:
            return nearest
        nearest = str(address)
        if not trusted.allows(nearest):
            return nearest
    return nearest


def _forwarded_for(headers: Mapping[str, str]) -> list[str]:
    entries = headers.get("x-forwarded-for", "").rsplit(",", MAX_HOPS)[-MAX_HOPS:]
    return [_without_port(entry.strip()) for entry in entries if entry.strip()]


def _forwarded(headers: Mapping[str, str]) -> list[str]:
    return [_without_port(entry) for entry in _forwarded_entries(headers.get("forwarded", ""))][-MAX_HOPS:]


def _forwarded_entries(header: str) -> Iterator[str]:
    for match in FORWARDED_FOR.finditer(header):
        yield match["quoted"] if match["quoted"] is not None else match["plain"]


def _without_port(entry: str) -> str:
    match = HOST_AND_PORT.fullmatch(entry)
    return (match["v4"] or match["v6"]) if match else entry
