"""Keys and accounts: nobody makes a way in that may do more than they do, or that lasts longer than they do."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bpm.client import BusClient
from bpm.clock import system_clock
from bpm.testing import RunningApp, running_app
from tests.attacks.people import END, PASSWORD, START, Person, deploy, ended, incident, person, task

pytestmark = pytest.mark.anyio

HR = ("users:write", "users:read", "webhooks:read", "processes:write")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """A running application, signed in as its administrator."""
    async with running_app(tmp_path) as running:
        yield running


@pytest.fixture
async def hr(app: RunningApp) -> Person:
    """Somebody who looks after accounts and may do little else."""
    return await person(app, "hr", permissions=HR)


async def key_of(client: BusClient, app: RunningApp, **fields: Any) -> tuple[BusClient, str]:
    """Make a key; return a client that uses it, and its id."""
    scopes = ["users:write", "users:read", "webhooks:read"]
    made = await client.cmd("CreateApiKeyCommand", **{"name": "k", "scopes": scopes, **fields})
    return BusClient(app.http, made["key"]), made["id"]


def soon(seconds: float = 60) -> str:
    """Return a moment in the near future."""
    return (system_clock() + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("CreateApiKeyCommand", {"name": "backdoor", "scopes": ["users:write"], "userId": 1}),
        ("CreateApiKeyCommand", {"name": "backdoor", "scopes": ["webhooks:read"], "userId": 1}),
        ("UpdateUserCommand", {"id": 1, "password": PASSWORD}),
        ("UpdateUserCommand", {"id": 1, "roles": []}),
        ("UpdateUserCommand", {"id": 1, "isEnabled": False}),
        ("DisableUserCommand", {"id": 1}),
    ],
)
async def test_whoever_may_do_more_is_out_of_reach(hr: Person, name: str, fields: dict[str, Any]) -> None:
    """No key for, no password of, no role of an administrator, by somebody who looks after accounts."""
    refused = await hr.client.send(name, fields)
    assert refused.status == 403
    assert "may do more than you" in refused.errors[0]


async def test_rights_count_as_they_are_now(app: RunningApp, hr: Person) -> None:
    """A permission that was taken away a moment ago is not handed on any more; one that the other got counts."""
    clerk = await person(app, "clerk", permissions=("webhooks:read",))
    fields = {"name": "k", "scopes": ["webhooks:read"], "userId": clerk.id}
    assert (await hr.client.send("CreateApiKeyCommand", fields)).ok
    await app.cmd("UpdateUserCommand", id=clerk.id, permissions=["webhooks:read", "payments:write"])
    assert (await hr.client.send("CreateApiKeyCommand", fields)).status == 403
    assert (await hr.client.send("UpdateUserCommand", {"id": clerk.id, "password": PASSWORD})).status == 403
    await app.cmd("UpdateUserCommand", id=clerk.id, permissions=[])
    await app.cmd("UpdateUserCommand", id=hr.id, permissions=["users:write"])
    refused = await hr.client.send("UpdateUserCommand", {"id": clerk.id, "permissions": ["webhooks:read"]})
    assert refused.errors == ["You can't grant what you do not hold: webhooks:read"]


async def test_a_key_ends_with_the_key_that_made_it(app: RunningApp, hr: Person) -> None:
    """Through any number of keys; making one through a process or a rule changes nothing in that."""
    first, first_id = await key_of(hr.client, app)
    second, second_id = await key_of(first, app)
    third, _ = await key_of(second, app)
    assert (await third.send("GetUserListQuery", {})).ok
    listed = (await app.cmd("GetApiKeyListQuery", createdBy=f"key:{first_id}"))["items"]
    assert [(key["id"], key["endsWith"]) for key in listed] == [(second_id, [first_id])]
    await app.cmd("RevokeApiKeyCommand", id=first_id)
    assert [(await client.send("GetUserListQuery", {})).status for client in (first, second, third)] == [401] * 3


async def test_keys_that_make_one_another_come_to_an_end(app: RunningApp, hr: Person) -> None:
    """Ten generations, so that looking whether one is valid costs a bounded time."""
    client, _ = await key_of(hr.client, app)
    for _ in range(10):
        client, _ = await key_of(client, app)
    refused = await client.send("CreateApiKeyCommand", {"name": "k", "scopes": ["users:read"]})
    assert (refused.status, "made one another" in refused.errors[0]) == (403, True)


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [
        ("CreateApiKeyCommand", {"name": "long", "scopes": ["users:read"]}, 422),
        ("CreateApiKeyCommand", {"name": "long", "scopes": ["users:read"], "expiresAt": "2999-01-01T00:00:00Z"}, 422),
        ("CreateUserCommand", {"username": "outlives", "password": PASSWORD}, 403),
        ("CreateUserCommand", {"username": "outlives", "kind": "service"}, 403),
        ("UpdateUserCommand", {"id": 3, "password": PASSWORD}, 403),
        ("UpdateUserCommand", {"id": 3, "roles": ["admin"]}, 403),
        ("UpdateUserCommand", {"id": 3, "permissions": ["users:write"]}, 403),
        ("UpdateUserCommand", {"id": 3, "isEnabled": True}, 403),
    ],
)
async def test_a_key_that_expires_makes_nothing_that_outlives_it(
    app: RunningApp, name: str, fields: dict[str, Any], status: int
) -> None:
    """No longer key, no account, no password, no role."""
    await person(app, "one")
    await person(app, "two")
    short, _ = await key_of(app, app, scopes=["*:read", "*:write"], expiresAt=soon())
    refused = await short.send(name, fields)
    assert refused.status == status
    assert "expire" in refused.errors[0]
    assert (await short.send("DisableUserCommand", {"id": 3})).ok  # to take away is no way in


async def test_a_key_that_expires_through_a_process(app: RunningApp) -> None:
    """The steps of a process that such a key deployed and started are the key's, in all that is above."""
    short, _ = await key_of(app, app, scopes=["*:read", "*:write"], expiresAt=soon())
    for number, step in enumerate(
        (
            task("CreateUserCommand", username="outlives", password=PASSWORD),
            task("CreateApiKeyCommand", name="long", scopes='{{["users:read"]}}', userId="{{1}}"),
        )
    ):
        await deploy(short, f"job{number}", START, step, END)
        await app.cmd("StartProcessInstanceCommand", processKey=f"job{number}")
        _, sentence = await incident(app, f"job{number}")
        assert "expire" in sentence


async def test_a_key_made_by_a_process_ends_with_its_people(app: RunningApp) -> None:
    """A step of a version that was deployed with a key makes a key: it ends with that one."""
    deployer, deployer_id = await key_of(app, app, scopes=["*:read", "*:write"])
    made = '<bpm:parameter name="name">k</bpm:parameter><bpm:parameter name="scopes">{{["users:read"]}}</bpm:parameter>'
    owner = '<bpm:parameter name="userId">{{1}}</bpm:parameter>'
    command = f'<bpm:command type="CreateApiKeyCommand" resultVariable="made">{made}{owner}</bpm:command>'
    step = f'<serviceTask id="x"><extensionElements>{command}</extensionElements></serviceTask>'
    await deploy(deployer, "job", START, step, END)
    started = await app.cmd("StartProcessInstanceCommand", processKey="job")
    await ended(app, started["instanceId"])
    (key,) = (await app.cmd("GetApiKeyListQuery", createdBy=f"key:{deployer_id}"))["items"]
    assert key["endsWith"] == [deployer_id]


async def test_what_a_key_made_is_listed_and_ends_with_it_on_demand(app: RunningApp) -> None:
    """Accounts that a leaked key made are told when it is revoked, and disabled in the same breath."""
    leaked, leaked_id = await key_of(app, app, scopes=["*:read", "*:write"])
    await leaked.cmd("CreateUserCommand", username="mole", password=PASSWORD, roles=["admin"])
    mole = BusClient(app.http)
    await mole.sign_in("mole", PASSWORD)
    assert [u["username"] for u in (await app.cmd("GetUserListQuery", createdBy=f"key:{leaked_id}"))["items"]] == [
        "mole"
    ]
    revoked = await app.cmd("RevokeApiKeyCommand", id=leaked_id, disableAccounts=True)
    assert ([user["username"] for user in revoked["accounts"]], revoked["disabled"]) == (["mole"], True)
    assert (await mole.send("PingQuery", {})).status == 401


async def test_revoking_asks_for_power_over_what_is_disabled(app: RunningApp, hr: Person) -> None:
    """Whoever revokes a lesser key can't disable, by that way, accounts that have come to more since."""
    small, small_id = await key_of(hr.client, app)
    made = await small.cmd("CreateUserCommand", username="riser", kind="service", permissions=["webhooks:read"])
    await app.cmd("UpdateUserCommand", id=made["id"], roles=["admin"])
    refused = await hr.client.send("RevokeApiKeyCommand", {"id": small_id, "disableAccounts": True})
    assert (refused.status, "'riser' may do more than you" in refused.errors[0]) == (403, True)
    assert (await hr.client.send("RevokeApiKeyCommand", {"id": small_id})).ok
