"""Whose a task is: it is claimed by one person, given back, and given to somebody else."""

from typing import Any

import pytest

from bpm.errors import Conflict, Forbidden, NotFound
from bpm.security.permissions import Authority, Principal, permissions_of
from tests.commands.sender import MessageSender, stranger

pytestmark = pytest.mark.anyio

BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpm="urn:bpm-bus"
 targetNamespace="t"><process id="{key}" isExecutable="true"><startEvent id="s"/><userTask id="u"{words}/>
<endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="u"/><sequenceFlow id="g" sourceRef="u" targetRef="e"/>
</process></definitions>"""
FOR_OPERATORS = ' bpm:candidateUsers="ann" bpm:candidateGroups="operator"'


async def people(sender: MessageSender) -> list[Principal]:
    """Store Ann, who is an administrator, and Bob, who is an operator."""
    await sender.add_user(username="ann", password_hash="x", roles=["admin"])
    await sender.add_user(username="bob", password_hash="x", roles=["operator"])
    roles = {"ann": "admin", "bob": "operator"}
    return [
        Principal("user", f"user:{at}", name, 1, permissions_of([role]), Authority((f"user:{at}",)))
        for at, (name, role) in enumerate(roles.items(), start=1)
    ]


async def waiting(sender: MessageSender, words: str = "", key: str = "p") -> dict[str, Any]:
    """Let a task wait, and return its ids."""
    await sender.send("CreateProcessDefinitionCommand", name=key, bpmnXml=BPMN.format(key=key, words=words))
    begun = await sender.send("StartProcessInstanceCommand", processKey=key)
    (task,) = (await sender.send("GetUserTaskListQuery", instanceId=begun["instanceId"]))["items"]
    return {"instanceId": task["instanceId"], "waitId": task["waitId"]}


async def mine(sender: MessageSender, principal: Principal, which: str) -> list[int]:
    page = await sender.send("GetUserTaskListQuery", principal, mine=which)
    return [task["instanceId"] for task in page["items"]]


async def test_a_task_is_claimed_by_one_and_given_back(sender: MessageSender) -> None:
    """It moves from what is offered to what is theirs and back; a second claim is refused by a sentence."""
    ann, bob = await people(sender)
    task = await waiting(sender, FOR_OPERATORS)
    assert [await mine(sender, each, "offered") for each in (ann, bob)] == [[task["instanceId"]]] * 2
    claimed = await sender.send("ClaimUserTaskCommand", bob, **task)
    assert claimed == {**task, "assignee": "bob"}
    assert await sender.send("ClaimUserTaskCommand", bob, **task) == claimed
    assert (await mine(sender, bob, "assigned"), await mine(sender, bob, "offered")) == ([task["instanceId"]], [])
    assert await mine(sender, ann, "offered") == []
    for name in ("ClaimUserTaskCommand", "UnclaimUserTaskCommand"):
        with pytest.raises(Conflict, match="bob's"):
            await sender.send(name, ann, **task)
    await sender.send("UnclaimUserTaskCommand", bob, **task)
    with pytest.raises(Conflict, match="nobody's"):
        await sender.send("UnclaimUserTaskCommand", bob, **task)
    assert await mine(sender, ann, "offered") == [task["instanceId"]]


async def test_a_task_is_given_to_somebody(sender: MessageSender) -> None:
    """Whomever it was offered to, and whosever it is; and to nobody again."""
    ann, bob = await people(sender)
    task = await waiting(sender, ' bpm:candidateUsers="ann"')
    assert (await sender.send("AssignUserTaskCommand", bob, **task, assignee="bob"))["assignee"] == "bob"
    (shown,) = (await sender.send("GetUserTaskListQuery", assignee="bob"))["items"]
    assert (shown["assignee"], shown["candidateUsers"]) == ("bob", ["ann"])
    assert (await sender.send("AssignUserTaskCommand", ann, **task, assignee="ann"))["assignee"] == "ann"
    assert (await sender.send("GetUserTaskListQuery", assignee="bob"))["items"] == []
    assert (await sender.send("AssignUserTaskCommand", ann, **task))["assignee"] is None
    with pytest.raises(Forbidden, match="offered to ann, and not to bob"):
        await sender.send("ClaimUserTaskCommand", bob, **task)


async def test_what_is_offered_to_nobody_is_anybodys(sender: MessageSender) -> None:
    """Who has claimed it completes it, and then nobody can claim it any more."""
    _, bob = await people(sender)
    task = await waiting(sender)
    assert await mine(sender, bob, "offered") == [task["instanceId"]]
    await sender.send("ClaimUserTaskCommand", bob, **task)
    assert (await sender.send("CompleteUserTaskCommand", bob, **task))["status"] == "COMPLETED"
    assert await mine(sender, bob, "assigned") == []
    for name in ("ClaimUserTaskCommand", "UnclaimUserTaskCommand", "AssignUserTaskCommand"):
        with pytest.raises(NotFound):
            await sender.send(name, bob, **task)


async def test_tasks_of_others_are_not_there(sender: MessageSender) -> None:
    """Another organisation finds none to claim."""
    await people(sender)
    task = await waiting(sender)
    assert await mine(sender, stranger(), "offered") == []
    with pytest.raises(NotFound):
        await sender.send("ClaimUserTaskCommand", stranger(), **task)
