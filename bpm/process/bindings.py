"""Finds the version of a process, decision or form that an element means."""

from datetime import datetime
from typing import Any

from sqlmodel import col
from sqlmodel import select as select_rows

from bpm.bpmn.binding import Binding
from bpm.bus import Context
from bpm.process.decision_tables import DeployedDecision, newest_decision
from bpm.process.definition_tables import DeployedProcess, find_definition, newest_startable
from bpm.process.form_tables import DeployedForm, newest_form
from bpm.process.instances import Startable
from bpm.store.session import ScopedSession

Deployed = DeployedProcess | DeployedDecision | DeployedForm


def bound_process(context: Context, key: str, binding: Binding, definition_id: int | None) -> Startable | None:
    """Return the version of a process that the version `definition_id` of another one means.

    It may be switched off, unless it is looked for by `latest` or by its tag: these are the newest active ones. Drafts
    are passed over.
    """
    if binding.kind == "latest":
        return newest_startable(context.tx, context.organization_id, key)
    session = context.session
    statement = select_rows(DeployedProcess).where(
        col(DeployedProcess.key) == key,
        col(DeployedProcess.gaps).is_(None),
        _condition(DeployedProcess, binding, _moment(session, binding, definition_id)),
    )
    if binding.kind == "versionTag":
        statement = statement.where(col(DeployedProcess.is_active).is_(True))
    return session.exec(statement.order_by(col(DeployedProcess.version).desc()).limit(1)).first()


def bound_decision(
    session: ScopedSession, key: str, binding: Binding, definition_id: int | None
) -> DeployedDecision | None:
    """Return the version of a decision that a version of a process means; without one, a version deployed now."""
    moment = _moment(session, binding, definition_id)
    if binding.kind == "latest" or (binding.kind == "deployment" and moment is None):
        return newest_decision(session, key)
    statement = select_rows(DeployedDecision).where(
        col(DeployedDecision.key) == key, _condition(DeployedDecision, binding, moment)
    )
    return session.exec(statement.order_by(col(DeployedDecision.version).desc()).limit(1)).first()


def bound_form(session: ScopedSession, key: str, binding: Binding, definition_id: int | None) -> DeployedForm | None:
    """Return the version of a form that a version of a process means; without one, a version deployed now."""
    moment = _moment(session, binding, definition_id)
    if binding.kind == "latest" or (binding.kind == "deployment" and moment is None):
        return newest_form(session, key)
    statement = select_rows(DeployedForm).where(col(DeployedForm.key) == key, _condition(DeployedForm, binding, moment))
    return session.exec(statement.order_by(col(DeployedForm.version).desc()).limit(1)).first()


def _moment(session: ScopedSession, binding: Binding, definition_id: int | None) -> datetime | None:
    """When the version was deployed that names another one, if that matters."""
    if binding.kind != "deployment" or definition_id is None:
        return None
    naming = find_definition(session, definition_id)
    return None if naming is None else naming.created_at


def _condition(model: type[Deployed], binding: Binding, moment: datetime | None) -> Any:
    """What the rows of a binding have in common."""
    match binding.kind:
        case "version":
            return col(model.version) == int(binding.value)
        case "versionTag":
            return col(model.version_tag) == binding.value
        case _:
            return col(model.created_at) <= moment
