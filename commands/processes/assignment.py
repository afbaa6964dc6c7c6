"""Whose a user task is: claim one, give it back, give it to somebody."""

from typing import Annotated, Any, NamedTuple

from pydantic import Field

from bpm.accounts.lookup import find_account
from bpm.bus import Command, Context, Id, View, WireModel, handles
from bpm.errors import Conflict, Forbidden, NotFound
from bpm.process import task_tables
from bpm.process.rows import WaitRow
from bpm.process.sealing import restored_wait, stored_wait

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Person(NamedTuple):
    """Somebody as tasks know them: by the user name, and by the roles, which are the groups."""

    name: str
    groups: list[str]


class AssignedTaskView(View):
    """Whose a task is now; `assignee` is null when it is offered again to all that it was offered to."""

    instance_id: int
    """The instance that waits."""
    wait_id: int
    """The task, as the list of tasks has it."""
    assignee: str | None
    """Whose it is."""


class NamedTask(WireModel):
    """Which task is meant."""

    instance_id: Id
    """The instance that waits."""
    wait_id: Id
    """The task, as the list of tasks has it."""


class ClaimUserTaskCommand(NamedTask, Command[AssignedTaskView]):
    """Take a task that is nobody's, if it is offered to you: by your user name, by one of your roles, or to anybody."""

    permission = "processes:write"
    succeeded = "Task claimed"
    failed = "Claim failed"


@handles
def claim(command: ClaimUserTaskCommand, context: Context) -> AssignedTaskView:
    """Make it the sender's."""
    task, data = _open_task(command, context)
    person, owner = person_of(context), data.get("assignee")
    if owner == person.name:
        return _view(task, person.name)
    if owner is not None:
        raise Conflict(f"The task is {owner}'s; they can give it back, or AssignUserTaskCommand gives it to you")
    users: list[str] = data.get("candidateUsers") or []
    groups: list[str] = data.get("candidateGroups") or []
    if (users or groups) and person.name not in users and not set(groups) & set(person.groups):
        raise Forbidden(f"The task is offered to {', '.join([*users, *groups])}, and not to {person.name}")
    return _assigned(task, data, person.name, context)


class UnclaimUserTaskCommand(NamedTask, Command[AssignedTaskView]):
    """Give a task back that is yours: it is offered again to whom it was offered before."""

    permission = "processes:write"
    succeeded = "Task given back"
    failed = "Giving back failed"


@handles
def unclaim(command: UnclaimUserTaskCommand, context: Context) -> AssignedTaskView:
    """Make it nobody's."""
    task, data = _open_task(command, context)
    owner = data.get("assignee")
    if owner != person_of(context).name:
        raise Conflict("The task is nobody's" if owner is None else f"The task is {owner}'s")
    return _assigned(task, data, None, context)


class AssignUserTaskCommand(NamedTask, Command[AssignedTaskView]):
    """Give a task to somebody, whomever it was offered to; without `assignee` it is nobody's."""

    permission = "processes:write"
    succeeded = "Task assigned"
    failed = "Assignment failed"

    assignee: Name | None = None
    """The user name of whoever is to do it."""


@handles
def assign(command: AssignUserTaskCommand, context: Context) -> AssignedTaskView:
    """Make it theirs."""
    task, data = _open_task(command, context)
    return _assigned(task, data, command.assignee, context)


def person_of(context: Context) -> Person:
    """Return the sender as tasks know them; an API key stands for the account that it belongs to."""
    user, _ = find_account(context.session, context.principal.id)
    return Person(user.username, list(user.roles)) if user is not None else Person(context.principal.name, [])


def _open_task(named: NamedTask, context: Context) -> tuple[WaitRow, dict[str, Any]]:
    task = task_tables.task_of(context.tx, context.organization_id, named.instance_id, named.wait_id)
    if task is None:
        raise NotFound("No open user task found with the specified IDs")
    return task, restored_wait(task.data, context.box)


def _assigned(task: WaitRow, data: dict[str, Any], assignee: str | None, context: Context) -> AssignedTaskView:
    shown = stored_wait(task.kind, {**data, "assignee": assignee}, context.box)
    task_tables.assign(context.tx, task, shown or {}, assignee)
    return _view(task, assignee)


def _view(task: WaitRow, assignee: str | None) -> AssignedTaskView:
    return AssignedTaskView(instance_id=task.instance_id, wait_id=task.wait_id, assignee=assignee)
