"""Users, service accounts, API keys and the audit log, through the bus."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bpm.accounts import Accounts
from bpm.accounts.attempts import PAIR
from bpm.accounts.tables import ApiKey, User
from bpm.app import Components
from bpm.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unauthenticated
from bpm.security.passwords import Passwords
from bpm.security.permissions import SYSTEM, Principal, permissions_of
from bpm.store import Database, Transaction, utc_now
from tests.commands.sender import MessageSender

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
HERE = "203.0.113.7"
CHIEF = Principal("user", "user:1", "chief", 1, permissions_of(["admin"]))
CLERK = Principal("user", "user:2", "clerk", 1, frozenset({"*:read", "users:write", "events:write"}))


class UsersSender(MessageSender):
    """A sender that also signs in, and knows who is behind a header."""

    @property
    def accounts(self) -> Accounts:
        """Who knows everybody."""
        return self.components.accounts

    async def sign_in(self, username: str, password: str = PASSWORD) -> str:
        """Return an `Authorization` header for a user."""
        return f"Bearer {(await self.accounts.sessions.sign_in(username, password, HERE)).access_token}"

    async def whois(self, header: str) -> Principal:
        """Return who is behind a header; raises `Unauthenticated` for nobody."""
        return await self.accounts.authenticate(header, HERE)

    async def is_nobody(self, header: str) -> bool:
        """Return whether nobody is behind a header."""
        try:
            await self.whois(header)
        except Unauthenticated:
            return True
        return False


@pytest.fixture(scope="session")
async def hashed(anyio_backend: str) -> str:
    """The hash of the password above."""
    return await Passwords().hash(PASSWORD)


@pytest.fixture
async def users(components: Components, database: Database, hashed: str) -> UsersSender:
    """A sender of an administrator's messages, `chief` (1); `clerk` (2) may read, manage users and publish."""

    def add(tx: Transaction) -> None:
        made: dict[str, Any] = {"created_at": utc_now(), "password_hash": hashed}
        tx.session(None).add(User(username="chief", roles=["admin"], **made))
        tx.flush()
        tx.session(None).add(User(username="clerk", permissions=sorted(CLERK.permissions), **made))

    await database.write(add)
    return UsersSender(components, CHIEF)


async def test_a_new_user_can_sign_in(users: UsersSender) -> None:
    """A user that was created signs in with the given password and holds the given rights."""
    view = await users.send(
        "CreateUserCommand", username="ada", password=PASSWORD, roles=["viewer"], permissions=["events:write"]
    )
    assert view == {
        "id": view["id"],
        "organizationId": 1,
        "username": "ada",
        "kind": "user",
        "roles": ["viewer"],
        "permissions": ["events:write"],
        "isEnabled": True,
        "createdAt": view["createdAt"],
        "disabledAt": None,
        "createdBy": "user:1",
        "password": None,
    }
    principal = await users.whois(await users.sign_in("ada"))
    assert principal is not None
    assert principal.permissions == {"*:read", "events:write"}


async def test_a_password_is_made_up_and_shown_once(users: UsersSender) -> None:
    """Without a password one is generated, shown in the answer, and nowhere afterwards."""
    view = await users.send("CreateUserCommand", username="ada")
    assert await users.whois(await users.sign_in("ada", view["password"]))
    listed = await users.send("GetUserListQuery", searchText="ada")
    assert "password" not in listed["items"][0]
    audited = await users.send("GetAuditLogQuery", type="CreateUserCommand")
    assert view["password"] not in str(audited)


async def test_a_service_account_has_no_password(users: UsersSender) -> None:
    """A service account gets none, may be given none, and can't be given one later."""
    view = await users.send("CreateUserCommand", username="robot", kind="service", roles=["publisher"])
    assert view["password"] is None
    with pytest.raises(Invalid, match="create an API key"):
        await users.send("CreateUserCommand", username="other", kind="service", password=PASSWORD)
    with pytest.raises(Invalid, match="create an API key"):
        await users.send("UpdateUserCommand", id=view["id"], password=PASSWORD)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Username is required"),
        ({"username": "a b"}, "username: must be 1 to 100 letters"),
        ({"username": "System"}, "username: must not be 'system'"),
        ({"username": "ada", "password": "short"}, "password: must have between 12 and 1024 characters"),
        ({"username": "ada", "roles": ["viewer", "root"]}, r"roles\[1\]: must be one of admin, operator"),
        ({"username": "ada", "permissions": ["everything"]}, r"permissions\[0\]: must be a permission such as"),
        ({"username": "ada", "kind": "robot"}, "kind: "),
        ({"username": "ada", "role": "viewer"}, "role: is not a known field; did you mean roles?"),
    ],
)
async def test_a_wrong_field_is_named(users: UsersSender, fields: dict[str, Any], sentence: str) -> None:
    """Each wrong field of a new user is answered with its path and what it must be."""
    with pytest.raises(Invalid, match=sentence):
        await users.send("CreateUserCommand", **fields)


async def test_a_name_is_given_once(users: UsersSender) -> None:
    """Of twenty clients that create the same name at once, in any capitals, one wins."""
    names = ["ada" if number % 2 else "ADA" for number in range(20)]
    tries = [users.send("CreateUserCommand", username=name, password=PASSWORD) for name in names]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert (await users.send("GetUserListQuery", searchText="ada"))["totalCount"] == 1


@pytest.mark.parametrize(
    "fields",
    [{"roles": ["admin"]}, {"roles": ["operator"]}, {"permissions": ["webhooks:write"]}, {"permissions": ["*:write"]}],
)
async def test_nobody_grants_what_they_do_not_hold(users: UsersSender, fields: dict[str, Any]) -> None:
    """Neither in a new account, nor in another's, nor in one's own."""
    other = await users.send("CreateUserCommand", username="other")
    with pytest.raises(Forbidden, match="You can't grant what you do not hold"):
        await users.send("CreateUserCommand", CLERK, username="ada", **fields)
    for user_id in (other["id"], 2):
        with pytest.raises(Forbidden, match="You can't grant what you do not hold"):
            await users.send("UpdateUserCommand", CLERK, id=user_id, **fields)


async def test_what_is_held_can_be_granted(users: UsersSender) -> None:
    """The clerk hands on what the clerk holds."""
    view = await users.send("CreateUserCommand", CLERK, username="ada", roles=["publisher"], permissions=["*:read"])
    assert view["roles"] == ["publisher"]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("UpdateUserCommand", {"password": "a password of mine"}),
        ("UpdateUserCommand", {"roles": []}),
        ("UpdateUserCommand", {"isEnabled": False}),
        ("DisableUserCommand", {}),
    ],
)
async def test_nobody_changes_who_may_do_more(users: UsersSender, name: str, fields: dict[str, Any]) -> None:
    """The clerk can't take over, strip or disable an administrator."""
    with pytest.raises(Forbidden, match="'chief' may do more than you"):
        await users.send(name, CLERK, id=1, **fields)
    assert await users.whois(await users.sign_in("chief"))


async def test_only_what_is_given_changes(users: UsersSender) -> None:
    """An update leaves alone what it does not name."""
    view = await users.send("UpdateUserCommand", id=2, roles=["viewer"])
    assert view["roles"] == ["viewer"]
    assert view["permissions"] == sorted(CLERK.permissions)
    assert await users.sign_in("clerk")


async def test_an_update_without_a_change_is_refused(users: UsersSender) -> None:
    """An update that names nothing to change says what could be given."""
    with pytest.raises(Invalid, match="there is nothing to change"):
        await users.send("UpdateUserCommand", id=2)


async def test_taken_rights_are_gone_at_once(users: UsersSender) -> None:
    """A permission that is taken away is missing from the very next request with the old token."""
    header = await users.sign_in("clerk")
    assert (await users.whois(header)).allows("events:write")
    await users.send("UpdateUserCommand", id=2, permissions=["*:read"])
    assert not (await users.whois(header)).allows("events:write")


async def test_a_new_password_ends_the_sessions(users: UsersSender) -> None:
    """After a password change the old password and every earlier token are worthless, the new one is good."""
    pair = await users.accounts.sessions.sign_in("clerk", PASSWORD, HERE)
    assert await users.whois(f"Bearer {pair.access_token}")
    await users.send("UpdateUserCommand", id=2, password="another long password")
    assert await users.is_nobody(f"Bearer {pair.access_token}")
    with pytest.raises(Unauthenticated):
        await users.accounts.sessions.refresh(pair.refresh_token)
    with pytest.raises(Unauthenticated):
        await users.sign_in("clerk")
    assert await users.whois(await users.sign_in("clerk", "another long password"))


async def test_a_disabled_user_is_out_at_once(users: UsersSender) -> None:
    """Disabling stops tokens and keys with the next request; enabling lets keys in again, not old tokens."""
    header = await users.sign_in("clerk")
    key = await users.send("CreateApiKeyCommand", name="ci", scopes=["events:write"], userId=2)
    assert await users.whois(header)
    assert await users.whois(f"Bearer {key['key']}")
    view = await users.send("DisableUserCommand", id=2)
    assert view["isEnabled"] is False
    assert view["disabledAt"]
    assert await users.is_nobody(header)
    assert await users.is_nobody(f"Bearer {key['key']}")
    with pytest.raises(Conflict, match="already disabled"):
        await users.send("DisableUserCommand", id=2)
    assert (await users.send("UpdateUserCommand", id=2, isEnabled=True))["isEnabled"] is True
    assert await users.is_nobody(header)
    assert await users.whois(f"Bearer {key['key']}")
    assert await users.whois(await users.sign_in("clerk"))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("DisableUserCommand", {}),
        ("UpdateUserCommand", {"isEnabled": False}),
        ("UpdateUserCommand", {"roles": ["viewer"]}),
        ("UpdateUserCommand", {"roles": []}),
    ],
)
async def test_the_last_administrator_stays(users: UsersSender, name: str, fields: dict[str, Any]) -> None:
    """The last enabled administrator is neither disabled nor stripped; with a second one either may go."""
    await users.send("CreateUserCommand", username="robot", kind="service", roles=["admin"])
    second = await users.send("CreateUserCommand", username="deputy", roles=["admin"])
    await users.send("DisableUserCommand", id=second["id"])
    with pytest.raises(Conflict, match="last administrator"):
        await users.send(name, id=1, **fields)
    assert (await users.whois(await users.sign_in("chief"))).allows("users:write")
    await users.send("UpdateUserCommand", id=second["id"], isEnabled=True)
    assert await users.send(name, id=1, **fields)


async def test_two_administrators_can_not_disable_each_other(users: UsersSender) -> None:
    """When both are disabled at the same moment one of them stays."""
    second = await users.send("CreateUserCommand", username="deputy", roles=["admin"])
    tries = [users.send("DisableUserCommand", id=number) for number in (1, second["id"])]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, Conflict | Forbidden) for answer in answers) == 1


@pytest.mark.parametrize("name", ["UpdateUserCommand", "DisableUserCommand"])
async def test_an_unknown_user_is_not_found(users: UsersSender, name: str) -> None:
    """A number that is nobody's is answered so."""
    fields: dict[str, Any] = {"roles": []} if name == "UpdateUserCommand" else {}
    with pytest.raises(NotFound, match="User not found"):
        await users.send(name, id=99, **fields)


async def test_users_are_listed_in_pages(users: UsersSender) -> None:
    """The list is filtered by kind, state and name, and sorted."""
    await users.send("CreateUserCommand", username="robot", kind="service")
    await users.send("DisableUserCommand", id=2)
    page = await users.send("GetUserListQuery", sortBy="username", sortDirection="asc", pageSize=2)
    assert [item["username"] for item in page["items"]] == ["chief", "clerk"]
    assert (page["totalCount"], page["hasNextPage"]) == (3, True)
    assert [i["username"] for i in (await users.send("GetUserListQuery", kind="service"))["items"]] == ["robot"]
    assert [i["username"] for i in (await users.send("GetUserListQuery", isEnabled=False))["items"]] == ["clerk"]
    assert [i["username"] for i in (await users.send("GetUserListQuery", searchText="HIE"))["items"]] == ["chief"]


async def test_a_key_opens_the_door_within_its_scopes(users: UsersSender) -> None:
    """A key is shown once, works at once with its scopes, and is listed without its secret."""
    view = await users.send("CreateApiKeyCommand", name="ci", scopes=["webhooks:read"])
    assert view["key"].startswith(f"bpm_{view['id']}_")
    principal = await users.whois(f"Bearer {view['key']}")
    assert principal.name == "chief/ci"
    assert principal.permissions == {"webhooks:read"}
    await users.accounts.stop()
    (listed,) = (await users.send("GetApiKeyListQuery"))["items"]
    assert {**view, "lastUsedAt": listed["lastUsedAt"]} == {**listed, "key": view["key"]}
    assert listed["lastUsedAt"]
    secret = view["key"].rpartition("_")[2]
    assert secret not in str(await users.send("GetAuditLogQuery"))
    assert secret not in await users.database.read(lambda tx: tx.session(None).get_one(ApiKey, view["id"]).hash)


async def test_a_key_is_made_for_oneself_or_for_another(users: UsersSender) -> None:
    """The owner is the sender, the owner of the key that sends, or whoever `userId` names."""
    robot = await users.send("CreateUserCommand", username="robot", kind="service", roles=["publisher"])
    own = await users.send("CreateApiKeyCommand", CLERK, name="a", scopes=["users:write", "events:read"])
    assert own["userId"] == 2
    by_key = await users.whois(f"Bearer {own['key']}")
    assert (await users.send("CreateApiKeyCommand", by_key, name="b", scopes=["events:read"]))["userId"] == 2
    given = await users.send("CreateApiKeyCommand", CLERK, name="c", scopes=["events:write"], userId=robot["id"])
    assert given["userId"] == robot["id"]
    listed = await users.send("GetApiKeyListQuery", userId=2, sortBy="name", sortDirection="asc")
    assert [item["name"] for item in listed["items"]] == ["a", "b"]


async def test_the_system_names_the_owner(users: UsersSender) -> None:
    """A sender who is no user must say whose key it is to be."""
    with pytest.raises(Invalid, match="userId: is required"):
        await users.send("CreateApiKeyCommand", SYSTEM, name="ci", scopes=["events:read"])


@pytest.mark.parametrize(
    ("fields", "error", "sentence"),
    [
        ({"scopes": ["webhooks:write"]}, Forbidden, "You can't grant what you do not hold: webhooks:write"),
        ({"userId": 1}, Forbidden, "'chief' may do more than you"),
        ({"scopes": []}, Invalid, "scopes: "),
        ({"scopes": ["all"]}, Invalid, r"scopes\[0\]: must be a permission"),
        ({"name": ""}, Invalid, "name: "),
        ({"userId": 99}, NotFound, "User not found"),
        ({"userId": 3}, Invalid, "scopes: 'robot' does not hold events:write"),
        ({"userId": 4}, Conflict, "The user is disabled"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, Invalid, "expiresAt: must be in the future"),
        ({"expiresAt": "tomorrow"}, Invalid, "expiresAt: "),
    ],
)
async def test_a_wrong_key_is_refused(users: UsersSender, fields: dict[str, Any], error: Any, sentence: str) -> None:
    """Scopes beyond the sender's or the owner's rights, unknown owners and past ends are refused."""
    await users.send("CreateUserCommand", username="robot", kind="service")
    gone = await users.send("CreateUserCommand", username="gone")
    await users.send("DisableUserCommand", id=gone["id"])
    with pytest.raises(error, match=sentence):
        await users.send("CreateApiKeyCommand", CLERK, **{"name": "ci", "scopes": ["events:write"], **fields})
    assert (await users.send("GetApiKeyListQuery"))["totalCount"] == 0


async def test_a_key_ends_when_it_says(users: UsersSender) -> None:
    """A key with an end works until then and not after."""
    soon = utc_now() + timedelta(seconds=0.5)
    view = await users.send("CreateApiKeyCommand", name="ci", scopes=["*:read"], expiresAt=soon.isoformat())
    assert await users.whois(f"Bearer {view['key']}")
    await asyncio.sleep(0.5)
    assert await users.is_nobody(f"Bearer {view['key']}")


async def test_a_revoked_key_stops_at_once(users: UsersSender) -> None:
    """The request after a revocation is refused, and a key is revoked once."""
    view = await users.send("CreateApiKeyCommand", name="ci", scopes=["*:read"])
    assert await users.whois(f"Bearer {view['key']}")
    assert (await users.send("RevokeApiKeyCommand", id=view["id"]))["revokedAt"]
    assert await users.is_nobody(f"Bearer {view['key']}")
    with pytest.raises(Conflict, match="already revoked"):
        await users.send("RevokeApiKeyCommand", id=view["id"])
    with pytest.raises(NotFound, match="API key not found"):
        await users.send("RevokeApiKeyCommand", id="0123")


async def test_a_key_can_be_replaced_by_itself(users: UsersSender) -> None:
    """A key with users:write makes its successor and revokes itself, but not a stronger key."""
    strong = await users.send("CreateApiKeyCommand", name="strong", scopes=["*:write"])
    old = await users.send("CreateApiKeyCommand", name="old", scopes=["users:write"])
    itself = await users.whois(f"Bearer {old['key']}")
    assert await users.send("CreateApiKeyCommand", itself, name="new", scopes=["users:write"])
    with pytest.raises(Forbidden, match="'strong' may do more than you"):
        await users.send("RevokeApiKeyCommand", itself, id=strong["id"])
    assert await users.send("RevokeApiKeyCommand", itself, id=old["id"])


async def test_the_audit_log_is_searched(users: UsersSender) -> None:
    """Every command leaves a line, secrets redacted, found by sender, type, outcome and request."""
    await users.send("CreateUserCommand", CLERK, username="ada", password=PASSWORD)
    with pytest.raises(Forbidden):
        await users.send("DisableUserCommand", CLERK, id=1)
    await users.send("DisableUserCommand", id=2)

    async def found(**filters: Any) -> list[tuple[str, bool]]:
        items = (await users.send("GetAuditLogQuery", sortDirection="asc", **filters))["items"]
        return [(item["type"], item["ok"]) for item in items]

    created, failed, done = ("CreateUserCommand", True), ("DisableUserCommand", False), ("DisableUserCommand", True)
    assert await found() == [created, failed, done]
    assert await found(principal="user:2") == [created, failed]
    assert await found(principal="chief") == [done]
    assert await found(type="DisableUserCommand", ok=True) == [done]
    assert await found(ok=False) == [failed]
    assert await found(searchText="may do more") == [failed]
    (line,) = (await users.send("GetAuditLogQuery", type="CreateUserCommand"))["items"]
    assert line["fields"] == {"username": "ada", "password": "***"}
    assert await found(requestId=line["requestId"]) == [created]
    assert await found(correlationId=line["correlationId"]) == [created]
    assert await found(requestId="none") == []


@pytest.mark.parametrize(
    ("name", "fields", "permission"),
    [
        ("CreateUserCommand", {"username": "x"}, "users:write"),
        ("UpdateUserCommand", {"id": 1, "roles": []}, "users:write"),
        ("DisableUserCommand", {"id": 1}, "users:write"),
        ("GetUserListQuery", {}, "users:read"),
        ("CreateApiKeyCommand", {"name": "x", "scopes": ["*:read"]}, "users:write"),
        ("RevokeApiKeyCommand", {"id": "x"}, "users:write"),
        ("GetApiKeyListQuery", {}, "users:read"),
        ("GetAuditLogQuery", {}, "audit:read"),
    ],
)
async def test_each_message_needs_its_permission(
    users: UsersSender, name: str, fields: dict[str, Any], permission: str
) -> None:
    """Without the permission each message is refused, whatever else the sender may do."""
    others = {"webhooks:write", "events:write", "users:read", "audit:read", "users:write"} - {permission}
    with pytest.raises(Forbidden, match=f"{name} needs the permission {permission}"):
        await users.send(name, Principal("user", "user:2", "clerk", 1, frozenset(others)), **fields)


async def test_another_organisation_sees_nothing(users: UsersSender) -> None:
    """An administrator of another organisation neither lists, nor finds, nor changes what is not theirs."""
    key = await users.send("CreateApiKeyCommand", name="ci", scopes=["*:read"])
    stranger = Principal("user", "user:1", "stranger", 2, permissions_of(["admin"]))
    for name in ("GetUserListQuery", "GetApiKeyListQuery", "GetAuditLogQuery"):
        assert (await users.send(name, stranger))["totalCount"] == 0
    changes: list[tuple[str, dict[str, Any]]] = [
        ("DisableUserCommand", {"id": 2}),
        ("UpdateUserCommand", {"id": 2, "roles": []}),
        ("RevokeApiKeyCommand", {"id": key["id"]}),
        ("CreateApiKeyCommand", {"name": "x", "scopes": ["*:read"], "userId": 2}),
    ]
    for name, fields in changes:
        with pytest.raises(NotFound):
            await users.send(name, stranger, **fields)
    with pytest.raises(Conflict):
        await users.send("CreateUserCommand", stranger, username="clerk")


OTHER = "another horse, another battery"


async def test_anybody_changes_the_own_password(users: UsersSender) -> None:
    """It needs no right; every sign-in ends, the old password is nothing any more, and the audit log has neither."""
    await users.send("CreateUserCommand", username="ada", password=PASSWORD)
    header = await users.sign_in("ada")
    ada = await users.whois(header)
    await users.send("ChangeOwnPasswordCommand", ada, currentPassword=PASSWORD, newPassword=OTHER)
    assert await users.is_nobody(header)
    with pytest.raises(Unauthenticated):
        await users.sign_in("ada")
    assert (await users.whois(await users.sign_in("ada", OTHER))).name == "ada"
    (line,) = (await users.send("GetAuditLogQuery", messageType="ChangeOwnPasswordCommand"))["items"]
    assert PASSWORD not in str(line)
    assert OTHER not in str(line)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"currentPassword": "wrong horse", "newPassword": OTHER}, "currentPassword: is wrong"),
        ({"currentPassword": PASSWORD, "newPassword": PASSWORD}, "newPassword: must differ"),
        ({"currentPassword": PASSWORD, "newPassword": "short"}, "newPassword: must have between 12"),
        ({"newPassword": OTHER}, "Current Password is required|currentPassword"),
    ],
)
async def test_a_password_that_is_not_changed(users: UsersSender, fields: dict[str, str], sentence: str) -> None:
    """The sign-ins go on, and the sentence says what is wrong."""
    header = await users.sign_in("clerk")
    with pytest.raises(Invalid, match=sentence):
        await users.send("ChangeOwnPasswordCommand", CLERK, **fields)
    assert await users.whois(header)


async def test_guesses_of_the_current_password_are_counted(users: UsersSender) -> None:
    """They count as tries to sign in, of which the one who sends them here has so many."""
    envelope_of = {"currentPassword": "wrong horse", "newPassword": OTHER}
    for _ in range(PAIR.burst):
        with pytest.raises(Invalid):
            await users.send("ChangeOwnPasswordCommand", CLERK, **envelope_of)
    guesses = [users.send("ChangeOwnPasswordCommand", CLERK, **envelope_of) for _ in range(3)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert any(isinstance(outcome, RateLimited) for outcome in outcomes)


async def test_a_key_changes_no_password(users: UsersSender) -> None:
    """Nor does a rule, a service account or whoever has no password."""
    made = await users.send("CreateApiKeyCommand", name="key", userId=1, scopes=["*:write"])
    fields = {"currentPassword": PASSWORD, "newPassword": OTHER}
    for sender in (await users.whois(f"Bearer {made['key']}"), Principal("rule", "rule:7", "rule", 1)):
        with pytest.raises(Forbidden, match="only a person who is signed in"):
            await users.send("ChangeOwnPasswordCommand", sender, **fields)
    await users.add_user(username="sso", kind="user", organization_id=1)
    (listed,) = (await users.send("GetUserListQuery", searchText="sso"))["items"]
    with pytest.raises(Conflict, match="do not sign in with a password"):
        await users.send("ChangeOwnPasswordCommand", Principal("user", f"user:{listed['id']}", "sso", 1), **fields)


async def test_two_changes_at_once(users: UsersSender) -> None:
    """One is done, the other is refused: nobody is left with a password that somebody else has just replaced."""
    changes = [
        users.send("ChangeOwnPasswordCommand", CLERK, currentPassword=PASSWORD, newPassword=f"{OTHER} {number}")
        for number in range(2)
    ]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert isinstance(refused, Conflict | Invalid)


async def test_an_author_writes_rules_that_publish(users: UsersSender) -> None:
    """The role may save a rule that publishes an event, and one with a script; an operator may not."""
    await users.add_user(username="maker", kind="user", organization_id=1, roles=["author"])
    await users.add_user(username="ops", kind="user", organization_id=1, roles=["operator"])
    found = {each["username"]: each for each in (await users.send("GetUserListQuery"))["items"]}
    rule = {
        "description": "d",
        "isEnabled": True,
        "action": "POST",
        "executionType": 0,
        "commandName": "PublishEventCommand",
        "parameters": {"event": "shop.paid", "data": "{{payload}}"},
    }
    maker, ops = (
        Principal("user", f"user:{found[name]['id']}", name, 1, permissions_of([role]))
        for name, role in (("maker", "author"), ("ops", "operator"))
    )
    assert await users.send("CreateWebHookConfigCommand", maker, key="paid", path="paid", **rule)
    script = {"executionType": 2, "executionCode": "return 1", "commandName": None, "parameters": None}
    assert await users.send("CreateWebHookConfigCommand", maker, key="code", path="code", **{**rule, **script})
    with pytest.raises(Invalid, match="PublishEventCommand needs events:write"):
        await users.send("CreateWebHookConfigCommand", ops, key="ops", path="ops", **rule)
