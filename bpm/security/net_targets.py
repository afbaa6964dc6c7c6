"""Where the server may connect to on somebody else's behalf: public addresses, and private ones that were allowed.

A URL is read once, by strict rules that leave no room for two programs to read it differently, and every address
its host stands for is checked again when a connection is made (server-side request forgery, CWE-918).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import idna

from bpm.security.net import Address, AddressList

MAX_URL = 2_048
LOCALHOST = "localhost"
ONLY_HTTPS = "the URL must begin with https:// (http:// is for loopback in development only)"
HTTPS_PORT = 443
FIRST_UNPRIVILEGED_PORT = 1_024
LOOPBACK_HTTP_PORT = 80
LONGEST_HOST, LONGEST_LABEL = 253, 63
INTERNATIONAL = "xn--"

NOT_PUBLIC_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
"""The IANA registry of special-purpose IPv4 addresses, multicast, and a cloud's own service (168.63.129.16)."""

PUBLIC_V6 = ip_network("2000::/3")
NOT_PUBLIC_V6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Inside the global unicast range: IETF assignments with Teredo and ORCHID, documentation, and 6to4 (RFC 6890)."""

NAT64 = ip_network("64:ff9b::/96")
"""An IPv6-only network's way to IPv4 (RFC 6052): it counts as the IPv4 address within."""

ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""Interface identifiers that are followed by an IPv4 address (RFC 5214)."""

URL_CHARACTERS = re.compile(r"[!-~]+")
HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
BRACKETED = re.compile(r"\[[0-9a-fA-F:.]+\](:[0-9]*)?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class TargetError(ValueError):
    """The server may not connect there; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked, as far as its text tells; `address` is set when the host is one."""

    url: str
    scheme: str
    host: str
    port: int
    address: Address | None


class Targets:
    """Judges URLs and addresses; `allowed` are private networks that may be reached on purpose."""

    def __init__(self, allowed: AddressList, setting: str = "BPM_DELIVERY__ALLOWED_NETWORKS") -> None:
        """Take the networks from the settings, and the name of the setting that they stand in."""
        self._allowed = allowed
        self._setting = setting

    def check_url(self, url: str) -> Target:
        """Read a URL; raises `TargetError` unless it is one that may be asked."""
        target = read_url(url)
        if target.address is not None:
            self.check_address(target.address, target.scheme)
        elif target.scheme == "http" and target.host != LOCALHOST:
            raise TargetError(ONLY_HTTPS)
        return target

    def check_addresses(self, host: str, addresses: Iterable[str], scheme: str) -> None:
        """Check everything a host stands for; one address that is not allowed spoils them all."""
        found = [ip_address(address.partition("%")[0]) for address in addresses]
        if not found:
            raise TargetError(f"the host {host} has no address")
        for address in found:
            self.check_address(address, scheme)

    def check_address(self, address: Address, scheme: str) -> None:
        """Raise `TargetError` unless connections to the address are allowed."""
        plain = _without_mapping(address)
        if scheme == "http" and not plain.is_loopback:
            raise TargetError(ONLY_HTTPS)
        if not is_public(address) and not self._allowed.allows(str(plain)):
            raise TargetError(
                f"{address} is not a public address; a private receiver must be allowed with {self._setting}"
            )


@lru_cache(maxsize=4_096)
def read_url(url: str) -> Target:
    """Read an http or https URL whose host can be understood in one way only; raises `TargetError`."""
    if len(url) > MAX_URL or not URL_CHARACTERS.fullmatch(url) or "\\" in url:
        raise TargetError(f"must be at most {MAX_URL} visible ASCII characters without backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"is not a URL: {error}") from error
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise TargetError("must be an absolute URL that begins with https://")
    if "@" in parts.netloc:
        raise TargetError("must not hold a user name or password; use a header")
    if "[" in parts.netloc and not BRACKETED.fullmatch(parts.netloc):
        raise TargetError("the host must be an IPv6 address in brackets without a zone, or a domain name")
    if parts.fragment:
        raise TargetError("must not have a fragment (#…): it is never sent")
    return _target(url, parts.scheme, parts.hostname.lower(), port)


def origin(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port: to whom what is sent with a URL is told; None for what can't be read."""
    try:
        target = read_url(url)
    except TargetError:
        return None
    return target.scheme, target.host.rstrip("."), target.port


@lru_cache(maxsize=4_096)
def is_public(address: Address) -> bool:
    """Whether an address is one of the public Internet, whichever form it is written in."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    inner = address.ipv4_mapped or (_last_four(address) if address in NAT64 else None)
    if inner is not None:
        return is_public(inner)
    if address not in PUBLIC_V6 or any(address in network for network in NOT_PUBLIC_V6):
        return False
    return int(address) >> 32 & 0xFFFF_FFFF not in ISATAP or is_public(_last_four(address))


def _target(url: str, scheme: str, host: str, port: int | None) -> Target:
    port = port if port is not None else (HTTPS_PORT if scheme == "https" else LOOPBACK_HTTP_PORT)
    usual = HTTPS_PORT if scheme == "https" else LOOPBACK_HTTP_PORT
    if port != usual and port < FIRST_UNPRIVILEGED_PORT:
        raise TargetError(f"port {port} belongs to another service; use {usual} or one above 1023")
    return Target(url, scheme, host, port, _address(host))


def _address(host: str) -> Address | None:
    """The address that a host is in its one strict spelling; None for a name."""
    if ":" in host:
        try:
            return IPv6Address(host)
        except ValueError as error:
            raise TargetError(f"the host is not an IPv6 address: {error}") from error
    if not HOST.fullmatch(host) or not _is_domain(host.rstrip(".")):
        raise TargetError("the host is not a domain name; write it in ASCII, as in xn--bcher-kva.example")
    # what ends in a number is read as an IPv4 address by some programs, in octal or hexadecimal too (WHATWG URL)
    if not NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return None
    try:
        return IPv4Address(host)
    except ValueError as error:
        raise TargetError("the host must be four decimal numbers, as in 203.0.113.7, or a domain name") from error


def _is_domain(host: str) -> bool:
    """Whether lengths are those of the DNS (RFC 1035, 2.3.4) and international labels can be read (RFC 5891)."""
    labels = host.split(".")
    if len(host) > LONGEST_HOST or max(map(len, labels)) > LONGEST_LABEL:
        return False
    try:
        for label in labels:
            if label.startswith(INTERNATIONAL):
                idna.ulabel(label)
    except idna.IDNAError:
        return False
    return True


def _without_mapping(address: Address) -> Address:
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _last_four(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
