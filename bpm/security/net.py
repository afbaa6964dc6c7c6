"""Addresses of IPv4 and IPv6, and lists of them."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_ENTRIES = 1_000
CACHE_SIZE = 4_096
MAPPED_PREFIX = 96
SITE_PREFIX = 64

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
def canonical(text: str) -> str:
    """The one spelling of an address; text that is none stays as it is."""
    return str(parse_address(text) or text)


def without_port(entry: str) -> str:
    """The address of an entry such as `1.2.3.4:5678` or `[2001:db8::1]:443`."""
    match = HOST_AND_PORT.fullmatch(entry)
    return (match["v4"] or match["v6"]) if match else entry
