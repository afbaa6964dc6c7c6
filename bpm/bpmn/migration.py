"""Whether a running instance can go on with another version of its process."""

from bpm.bpmn.compiler.compile import CompiledProcess
from bpm.bpmn.elements.events.catch_events import Awaiting
from bpm.bpmn.listener_changes import is_gone
from bpm.bpmn.state import Instance, Scope, done_keys, element_of


class Comparison:
    """Two versions of a process, for the instances of one that are to go on with the other."""

    def __init__(self, old: CompiledProcess, new: CompiledProcess) -> None:
        """Look at each version once, however many instances there are."""
        self._old = old
        self._new = new
        self._scopes = _scopes(old), _scopes(new)
        self._flows = {flow.id: flow.target for flow in new.definition.flows}

    def missing(self, instance: Instance) -> list[str]:
        """Return the elements an instance stands on that the new version lacks, or has as something else or elsewhere.

        An element counts when a token or a wait is there, a scope belongs to it, or it could still be compensated; then
        the new version must say what compensates it, if the old one does. A boundary event or the start of an event
        sub-process does not count when it is gone: it ends to listen.
        It is something else when its kind differs, or what is stored of it means something else there: a repetition
        one after the other or all at once, what an event waits for or is attached to. A flow counts when a token
        that came by it waits at a join, or one at an event-based gateway would take it.
        """
        keys = [token.element for token in instance.tokens.values()]
        keys += [token.element for token in (instance.pending.moving if instance.pending else ())]
        keys += [wait.element for wait in instance.waits.values() if not is_gone(self._old, self._new, wait)]
        keys += [key for scope in instance.scopes.values() for key in self._keys_of(scope)]
        undoable = [key for done in instance.done.values() for key in done_keys(done)]
        missing = [element_of(key) for key in dict.fromkeys([*keys, *undoable]) if not self._has(key)]
        missing += [element_of(key) for key in undoable if not self._still_undoes(key)]
        missing += self._missing_flows(instance)
        return list(dict.fromkeys(missing))

    def _keys_of(self, scope: Scope) -> list[str]:
        if scope.element is None:
            return []
        return [scope.element, *self._old.nodes[scope.element].keys_in(scope.note)]

    def _missing_flows(self, instance: Instance) -> list[str]:
        at_joins = [token for token in instance.tokens.values() if self._old.nodes[token.element].is_join]
        arrived = [(token.flow, token.element) for token in at_joins if token.flow is not None]
        missing = [flow for flow, join in arrived if self._flows.get(flow) != join]
        for wait in instance.waits.values():
            at = instance.tokens[wait.token].element if wait.token else ""
            if self._gateways(self._old, at, wait.element) and not self._gateways(self._new, at, wait.element):
                missing.append(wait.element)
        return missing

    def _gateways(self, process: CompiledProcess, gateway: str, event: str) -> bool:
        """Whether an event stands behind an event-based gateway."""
        node = process.nodes.get(event)
        return isinstance(node, Awaiting) and gateway in node.behind

    def _still_undoes(self, key: str) -> bool:
        """Whether the new version compensates what completed, as the old one would."""
        before, after = self._old.nodes[key], self._new.nodes.get(key)
        return not before.compensated_by or (after is not None and bool(after.compensated_by))

    def _has(self, key: str) -> bool:
        if key == self._old.id:  # the whole process was halted
            return True
        before, after = self._old.nodes.get(key), self._new.nodes.get(key)
        old, new = (scopes.get(element_of(key)) for scopes in self._scopes)
        if before is None or after is None or type(before) is not type(after):
            return False
        return before.stored_shape == after.stored_shape and old == new


def _scopes(process: CompiledProcess) -> dict[str, str]:
    """The sub-process that each element stands in; empty for the process itself."""
    return {each.id: "" if each.scope == process.id else each.scope for each in process.definition.elements}
