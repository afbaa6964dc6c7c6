"""The server connects to public addresses, and to private ones that were allowed on purpose."""

import pytest

from bpm.security.net import AddressList
from bpm.security.net_targets import TargetError, Targets, is_public
from bpm.security.net_targets import ip_address as read

NOBODY = Targets(AddressList(()))
LOOPBACK = Targets(AddressList.parse("127.0.0.0/8, ::1"))

REFUSED = [
    "0.0.0.0",  # noqa: S104 an address, not a socket
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::200:5efe:127.0.0.1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "172.32.0.1", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::1111"]


@pytest.mark.parametrize("address", REFUSED)
def test_no_form_of_an_inner_address_is_public(address: str) -> None:
    """Private, loopback, link-local, metadata, multicast, reserved addresses are refused in every form."""
    assert not is_public(read(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(TargetError, match="not a public address"):
        NOBODY.check_url(f"https://{host}/hook")
    with pytest.raises(TargetError):
        NOBODY.check_addresses("name.example", ["8.8.8.8", address], "https")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address: str) -> None:
    """A public address may be asked, also as an IPv6 form of an IPv4 one."""
    assert is_public(read(address))
    NOBODY.check_addresses("name.example", [address], "https")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "127.0.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "8.8.8.8.",
        "1.2.3.4.5",
        "256.1.1.1",
        "example.0x7f",
        "example.1",
        "[::1%25eth0]",
        "[::ffff:1]x",
        "\uff11\uff12\uff17.0.0.1",
        "bücher.example",
        "exa mple.com",
        "a..b",
        "-a.example",
        "xn--a.example",
        "xn--0.example",
        "xn--.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "%31%32%37.0.0.1",
        "",
    ],
)
def test_odd_spellings_of_a_host_are_refused(host: str) -> None:
    """A host that another program could read as something else is not accepted, nor allowed by any list."""
    for targets in (NOBODY, Targets(AddressList.parse("0.0.0.0/0, ::/0"))):
        with pytest.raises(TargetError):
            targets.check_url(f"https://{host}/hook")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://example.com/", "begins with https"),
        ("//example.com/", "begins with https"),
        ("example.com", "begins with https"),
        ("https://", "begins with https"),
        ("https://user@example.com/", "user name"),
        ("https://user:word@example.com/", "user name"),
        ("https://8.8.8.8@example.com/", "user name"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com:22/", "port 22"),
        ("https://example.com:80/", "port 80"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:99999/", "not a URL"),
        ("https://example.com\\@8.8.8.8/", "backslashes"),
        ("https://example.com/\n", "visible"),
        ("https://example.com/" + "a" * 2048, "2048"),
    ],
)
def test_a_url_with_more_than_one_reading_is_refused(url: str, sentence: str) -> None:
    """User names, fragments, other services' ports and control characters are refused with a sentence."""
    with pytest.raises(TargetError, match=sentence):
        NOBODY.check_url(url)


def test_a_usual_url_is_taken_apart() -> None:
    """Host and port of a URL are those a client will use."""
    target = NOBODY.check_url("https://Hooks.Example.com:8443/a?b=c")
    assert (target.host, target.port, target.address) == ("hooks.example.com", 8443, None)
    assert NOBODY.check_url("https://example.com/").port == 443
    assert NOBODY.check_url("https://xn--bcher-kva.example./").host == "xn--bcher-kva.example."


def test_private_receivers_can_be_allowed() -> None:
    """An address of the allow list may be asked, also in its mapped form; plain http only on loopback."""
    assert LOOPBACK.check_url("http://127.0.0.1:8080/").port == 8080
    LOOPBACK.check_addresses("localhost", ["127.0.0.1", "::1", "::ffff:127.0.0.1"], "http")
    with pytest.raises(TargetError, match="not a public address"):
        LOOPBACK.check_url("https://10.0.0.1/")
    inside = Targets(AddressList.parse("10.0.0.0/8"))
    assert inside.check_url("https://10.0.0.1/").port == 443
    with pytest.raises(TargetError, match="must begin with https"):
        inside.check_url("http://10.0.0.1/")
    assert LOOPBACK.check_url("http://localhost:8080/").host == "localhost"
    with pytest.raises(TargetError, match="must begin with https"):
        inside.check_url("http://inside.example/")
    with pytest.raises(TargetError, match="must begin with https"):
        NOBODY.check_addresses("example.com", ["8.8.8.8"], "http")
    with pytest.raises(TargetError, match="no address"):
        NOBODY.check_addresses("example.com", [], "https")
