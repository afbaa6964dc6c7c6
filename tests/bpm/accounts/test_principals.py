"""What accounts and keys hold, and what somebody may hand on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.accounts.checks import check_password, check_permission, check_role, check_username
from bpm.accounts.principals import is_administrator, missing_permissions, permissions_of_user, principal_of_key
from bpm.accounts.tables import ApiKey, User

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def user(**columns: Any) -> User:
    row = User(id=7, username="ada", created_at=NOW)
    row.sqlmodel_update(columns)
    return row


RIGHTS: list[tuple[list[str], list[str], set[str]]] = [
    ([], ["*:read"], set()),
    (["webhooks:read"], [], set()),
    (["webhooks:read"], ["*:read"], {"webhooks:read"}),
    (["*:read"], ["webhooks:read"], {"webhooks:read"}),
    (["*:write", "users:read"], ["events:write", "users:write"], {"events:write", "users:write"}),
]


@pytest.mark.parametrize(("scopes", "permissions", "both"), RIGHTS)
def test_a_key_may_do_what_it_and_its_owner_may(scopes: list[str], permissions: list[str], both: set[str]) -> None:
    """A key's permissions are what its scopes and its owner's rights share, with `*` on either side."""
    key = ApiKey(id="k", user_id=7, name="ci", hash="", scopes=scopes, created_at=NOW)
    assert principal_of_key(key, user(permissions=permissions)).permissions == both


def test_roles_and_permissions_add_up() -> None:
    """A user holds what the roles give and what was given by name; an unknown role gives nothing."""
    assert permissions_of_user(user(roles=["viewer", "gone"], permissions=["users:write"])) == {"*:read", "users:write"}


def test_what_somebody_lacks_is_named() -> None:
    """Permissions that a principal may not hand on are listed once, in order."""
    key = ApiKey(id="k", user_id=7, name="ci", hash="", scopes=["*:read"], created_at=NOW)
    principal = principal_of_key(key, user(roles=["admin"]))
    wanted = ["users:write", "users:read", "*:read", "*:write", "users:write"]
    assert missing_permissions(principal, wanted) == ["*:write", "users:write"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"roles": ["admin"]}, True),
        ({"permissions": ["*:read", "*:write"]}, True),
        ({"roles": ["operator"]}, False),
        ({"roles": ["admin"], "disabled_at": NOW}, False),
        ({"roles": ["admin"], "kind": "service"}, False),
    ],
)
def test_an_administrator_can_sign_in_and_do_everything(columns: Any, expected: bool) -> None:
    """An administrator is an enabled person with every permission."""
    assert is_administrator(user(**columns)) is expected


@pytest.mark.parametrize("name", ["a", "ada", "Ada.Lovelace+x@example.com", "9lives", "a" * 100])
def test_usual_names_are_let_through(name: str) -> None:
    """Names and mail addresses can be user names."""
    assert check_username(name) == name


@pytest.mark.parametrize("name", ["", " ", "a b", "user:7", "a" * 101, "ada\n", "\u0430da", "-a", "a/b"])
def test_odd_names_are_refused(name: str) -> None:
    """Blanks, colons, letters that look like others, and names that are too long are refused."""
    with pytest.raises(ValueError, match="must be 1 to 100"):
        check_username(name)


@pytest.mark.parametrize("name", ["system", "System"])
def test_nobody_is_called_like_the_product(name: str) -> None:
    """The name under which the product's own work stands in the audit log is not given away."""
    with pytest.raises(ValueError, match="must not be 'system'"):
        check_username(name)


@pytest.mark.parametrize("permission", ["webhooks:read", "*:write", "my-app_2:read"])
def test_permissions_have_an_area_and_a_verb(permission: str) -> None:
    """`area:read`, `area:write` and both for every area are permissions."""
    assert check_permission(permission) == permission


@pytest.mark.parametrize(
    "permission", ["", "read", "webhooks", "webhooks:*", "*:*", "Webhooks:read", "a:read\n", "a:b:read"]
)
def test_other_texts_are_no_permissions(permission: str) -> None:
    """What is not of this form is refused, so that a typo grants nothing."""
    with pytest.raises(ValueError, match="such as webhooks:read"):
        check_permission(permission)


def test_roles_and_passwords_are_checked() -> None:
    """Unknown roles are answered with the known ones, short and endless passwords with the bounds."""
    assert check_role("viewer") == "viewer"
    assert check_password("x" * 12)
    with pytest.raises(ValueError, match="admin, operator, author, viewer, publisher"):
        check_role("root")
    for password in ("x" * 11, "x" * 1025):
        with pytest.raises(ValueError, match="between 12 and 1024"):
            check_password(password)
