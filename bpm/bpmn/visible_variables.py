"""What can be seen of an instance's variables where it waits."""

from typing import Any

from bpm.bpmn.large import LargeValues
from bpm.bpmn.state import Instance


def visible_variables_at(instance: Instance, wait_id: int) -> dict[str, Any]:
    """Return the variables that an open wait's element sees, inner ones before outer ones; none for another wait."""
    wait = instance.waits.get(wait_id)
    token = instance.tokens.get(wait.token) if wait else None
    if token is None:
        return {}
    visible = dict(instance.locals.get(token.id) or {})
    scope: int | None = token.scope
    while scope is not None:
        visible = {**LargeValues(instance.variables[scope]), **visible}
        scope = instance.scopes[scope].parent
    return visible
