"""Whom stored work acts for is the same before and after it was stored."""

import pytest

from bpm.security.permissions import Authority, Principal, acting
from bpm.security.stored_principal import StoredPrincipal, principal_columns

USER = Principal("user", "user:7", "ada", 3, frozenset({"events:write"}))
KEY = acting("rule", "rule:1", "orders", 3, Authority(("key:1f",), frozenset({"code:write"})))


@pytest.mark.parametrize("principal", [USER, KEY])
def test_columns_give_the_principal_back(principal: Principal) -> None:
    """The id, the name, the organisation and the authority survive; what it may do is asked when it acts."""
    row = principal_columns(principal, "starter")
    stored = StoredPrincipal(row["starter_id"], row["starter_name"], 3, row["permissions"], row["authority"])
    again = stored.acting("process")
    assert (again.kind, again.id, again.name, again.organization_id) == ("process", principal.id, principal.name, 3)
    assert again.standing == principal.standing


def test_a_row_without_an_authority_acts_for_its_account() -> None:
    """Rows from before authorities were stored act for their account, within the permissions of then."""
    stored = StoredPrincipal("user:7", "ada", 3, ["events:write"], None)
    assert stored.acting("system").standing == Authority(("user:7",), frozenset({"events:write"}))


def test_those_beside_it_are_asked_too() -> None:
    """Every account must be allowed, and the narrower limit holds."""
    stored = StoredPrincipal("user:7", "ada", 3, ["events:write", "code:write"], None)
    beside = Authority(("user:9",), frozenset({"code:write"}))
    assert stored.acting("process", beside).standing == Authority(("user:7", "user:9"), frozenset({"code:write"}))
