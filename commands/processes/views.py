"""How instances are shown, and found in the caller's organisation."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field

from bpm.bus import Context, Moment, ShownWith, View
from bpm.errors import NotFound
from bpm.model_files.names import key_text
from bpm.process import instance_tables
from bpm.process.instance_tables import ProcessInstance
from bpm.process.instances import InstanceState
from bpm.process.rows import InstanceRow
from bpm.security.redaction import without_credentials


def _digits(value: object) -> Any:
    text = key_text(value)
    return value if text is None else text


Key = Annotated[str, Field(max_length=400), BeforeValidator(_digits, json_schema_input_type=str | int | float)]
"""A business or correlation key, which every database can look up by an index; a number is as good as its digits."""

Content = ShownWith("processes:read")
"""What instances hold, and what was written of definitions besides their names."""

Status = Literal["RUNNING", "WAITING", "COMPLETED", "ERROR", "CANCELLED"]


class CurrentTaskView(View):
    """Something an instance waits for."""

    wait_id: int
    element_id: str
    kind: str
    """What kind of thing it waits for."""
    name: Annotated[str | None, Content] = None
    due_at: Moment | None = None
    detail: Annotated[dict[str, Any] | None, Content] = None
    """What more there is to say of it, by its kind; of a command that is tried again its `tries` and last failure."""


class InstanceStateView(View):
    """Where an instance stands; its variables and what its tasks say are empty to those who may not read processes."""

    instance_id: int
    status: Status
    """How the instance is."""
    variables: Annotated[dict[str, Any], Content]
    current_tasks: list[CurrentTaskView]


class InstanceView(View):
    """An instance in a list."""

    instance_id: int
    process_definition_id: int
    process_key: str
    business_key: str | None
    parent_instance_id: int | None
    status: Status
    """How the instance is."""
    created_at: Moment
    ended_at: Moment | None


class InstanceDetailView(InstanceView):
    """An instance with everything in it."""

    variables: dict[str, Any]
    current_tasks: list[CurrentTaskView]


def own_instance(context: Context, instance_id: int) -> Any:
    """Return an instance of the caller's organisation, or raise `NotFound`."""
    row = instance_tables.find_instance(context.tx, instance_id)
    if row is None or row.organization_id != context.organization_id:
        raise NotFound(f"there is no process instance {instance_id}")
    return row


def state_view(standing: InstanceState) -> InstanceStateView:
    """Show where an instance stands."""
    return InstanceStateView(
        instance_id=standing.instance_id,
        status=cast("Status", standing.status),
        variables=dict(standing.variables),
        current_tasks=[_task(wait) for wait in standing.waits],
    )


def summary(row: ProcessInstance | InstanceRow) -> InstanceView:
    """Show an instance in a list."""
    return InstanceView(
        instance_id=cast("int", row.id),
        process_definition_id=row.definition_id,
        process_key=row.process_key,
        business_key=row.business_key,
        parent_instance_id=row.parent_id,
        status=cast("Status", row.status),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def visible_data(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Show what a person is given: without secrets among the values, and the form's schema as it is."""
    if data is None or not data.get("variables"):
        return dict(data) if data is not None else None
    return {**data, "variables": without_credentials(data["variables"])}


def _task(wait: Mapping[str, Any]) -> CurrentTaskView:
    return CurrentTaskView(
        wait_id=wait["wait_id"],
        element_id=wait["element_id"],
        kind=wait["kind"],
        name=wait["name"],
        due_at=wait["due_at"],
        detail=visible_data(wait["data"]) if wait["kind"] in ("user", "incident", "adHoc", "command") else None,
    )
