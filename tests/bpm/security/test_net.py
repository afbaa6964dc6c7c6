"""Addresses and lists of them."""

import pytest

from bpm.security.net import AddressError, AddressList


@pytest.mark.parametrize(
    ("listed", "address", "allowed"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("10.0.0.0/8, 192.168.1.0/24", "192.168.1.200", True),
        ("10.0.0.0/8,,192.168.1.0/24,", "192.168.2.1", False),
        ("10.1.2.3/8", "10.200.0.1", True),
        ("2001:db8::/32", "2001:db8:1::5", True),
        ("2001:DB8::5", "2001:0db8:0:0::5", True),
        ("2001:db8::/32", "2001:db9::", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("::ffff:10.0.0.0/104", "10.9.9.9", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("0.0.0.0/0", "::1", False),
        ("0.0.0.0/0", "::ffff:1.2.3.4", True),
        ("::/0", "1.2.3.4", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("", "10.0.0.1", False),
        ("0.0.0.0/0, ::/0", "not an address", False),
        ("0.0.0.0/0, ::/0", "", False),
        ("127.0.0.1", "127.1", False),
    ],
)
def test_list_allows_what_it_names(listed: str, address: str, allowed: bool) -> None:
    """A list allows exactly the addresses in its entries, an IPv4-mapped one as IPv4."""
    addresses = AddressList.parse(listed)
    assert addresses.allows(address) is allowed
    assert addresses.allows(address) is allowed


@pytest.mark.parametrize(
    "wrong", ["10.0.0", "10.0.0.0/33", "example.org", "10.0.0.1-10.0.0.9", "10.0.0.1 10.0.0.2", "*"]
)
def test_wrong_entry_is_named(wrong: str) -> None:
    """An entry that is no address is refused by name."""
    with pytest.raises(AddressError) as caught:
        AddressList.parse(f"127.0.0.1, {wrong}")
    assert repr(wrong) in str(caught.value)


def test_list_is_bounded_and_shown() -> None:
    """A list has at most a thousand entries, says whether it has any, and can be shown."""
    with pytest.raises(AddressError, match="at most 1000"):
        AddressList.parse("10.0.0.1," * 1001)
    assert not AddressList.parse(" , ")
    assert str(AddressList.parse("10.1.2.3/8,::1 ")) == "10.0.0.0/8, ::1"
