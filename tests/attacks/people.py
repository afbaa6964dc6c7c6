"""People of a test: accounts with their clients, and processes in which a step makes an administrator."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bpm.client import BusClient
from bpm.testing import RunningApp, until
from tests.commands import playing

PASSWORD = "Correct-horse-battery-7"
EVIL = {"username": "evil", "password": PASSWORD, "roles": ["admin"]}


@dataclass
class Person:
    """An account and a client that is signed in as it, or uses its key."""

    id: int
    client: BusClient
    key_id: str | None = None


async def person(app: RunningApp, name: str, *roles: str, permissions: tuple[str, ...] = ()) -> Person:
    """Create a user and sign in."""
    fields = {"username": name, "password": PASSWORD, "roles": roles, "permissions": permissions}
    made = await app.cmd("CreateUserCommand", **fields)
    client = BusClient(app.http)
    await client.sign_in(name, PASSWORD)
    return Person(made["id"], client)


async def machine(app: RunningApp, name: str, *roles: str, scopes: tuple[str, ...] = ("*:read", "*:write")) -> Person:
    """Create a service account and use a key of it."""
    made = await app.cmd("CreateUserCommand", username=name, kind="service", roles=roles)
    key = await app.cmd("CreateApiKeyCommand", name="ci", userId=made["id"], scopes=scopes)
    return Person(made["id"], BusClient(app.http, key["key"]), key["id"])


def calling(command: str, **fields: Any) -> str:
    """Write the extension that makes a service task send a command."""
    parameters = "".join(f'<bpm:parameter name="{name}">{value}</bpm:parameter>' for name, value in fields.items())
    return (
        f'<extensionElements><bpm:command type="{command}" retries="0">{parameters}</bpm:command></extensionElements>'
    )


def bpmn(process: str, *elements: str) -> str:
    """Write a process whose elements follow one another, each written `<tag id="x" …>`.

    The message `m` is called `go`, the signal `all` by its id.
    """
    ids = [element.split('id="')[1].split('"')[0] for element in elements]
    flows = [f'<sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>' for n, (a, b) in enumerate(pairwise(ids))]
    body = "".join([*elements, *flows])
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpm="https://bpm-bus.dev/bpmn" '
        'targetNamespace="t"><message id="m" name="go"/><signal id="all" name="all"/>'
        f'<process id="{process}" isExecutable="true">{body}</process>'
        "</definitions>"
    )


START, WAIT, END = '<startEvent id="s"/>', '<userTask id="u"/>', '<endEvent id="e"/>'


def task(command: str, **fields: Any) -> str:
    """Write a service task that sends a command."""
    return f'<serviceTask id="x">{calling(command, **fields)}</serviceTask>'


MAKE_ADMIN = task("CreateUserCommand", username="evil", password=PASSWORD, roles='{{["admin"]}}')


async def deploy(client: BusClient, process: str, *elements: str, **fields: Any) -> int:
    """Deploy a version of a process as somebody; return its id."""
    xml = bpmn(process, *elements)
    return (await client.cmd("CreateProcessDefinitionCommand", name=process, bpmnXml=xml, **fields))["id"]


async def names(app: RunningApp) -> set[str]:
    """Return the names of all accounts."""
    return {user["username"] for user in (await app.cmd("GetUserListQuery", pageSize=200))["items"]}


async def incident(app: RunningApp, process: str) -> tuple[int, str]:
    """Wait until the newest instance of a process stands at an incident; return its id and the sentence."""
    return await until(lambda: _newest_incident(app, process))


async def _newest_incident(app: RunningApp, process: str) -> Any:
    for found in (await app.cmd("GetProcessInstanceListQuery", processKey=process))["items"][:1]:
        whole = await playing.instance(app, found["instanceId"])
        for wait in whole["currentTasks"]:
            if wait["kind"] == "incident":
                return found["instanceId"], wait["detail"]["message"]
    return None


async def ended(app: RunningApp, instance_id: int) -> None:
    """Wait until an instance has completed."""
    await until(lambda: playing.instance(app, instance_id), lambda found: found["status"] == "COMPLETED")
