"""Whether a running instance can go on with another version of its process."""

from bpm.bpmn.compiler.compile import CompiledProcess
from bpm.bpmn.state import TURN, Done, Instance


class Comparison:
    """Two versions of a process, for the instances of one that are to go on with the other."""

    def __init__(self, old: CompiledProcess, new: CompiledProcess) -> None:
        """Look at each version once, however many instances there are."""
        self._old = old
        self._new = new
        self._scopes = _scopes(old), _scopes(new)
        self._flows = {flow.id for flow in new.definition.flows}

    def missing(self, instance: Instance) -> list[str]:
        """Return the elements an instance stands on that the new version lacks, or has as something else or elsewhere.

        An element counts when a token or a wait is there, a scope belongs to it, or it could still be compensated; a
        flow counts when a token that came by it waits at a join.
        """
        keys = [token.element for token in instance.tokens.values()]
        keys += [token.element for token in (instance.pending.moving if instance.pending else ())]
        keys += [wait.element for wait in instance.waits.values()]
        keys += [scope.element for scope in instance.scopes.values() if scope.element is not None]
        keys += [key for done in instance.done.values() for key in _done(done)]
        missing = [key.removesuffix(TURN) for key in dict.fromkeys(keys) if not self._has(key)]
        at_joins = [token.flow for token in instance.tokens.values() if self._old.nodes[token.element].is_join]
        missing += [flow for flow in at_joins if flow is not None and flow not in self._flows]
        return list(dict.fromkeys(missing))

    def _has(self, key: str) -> bool:
        before, after = self._old.nodes.get(key), self._new.nodes.get(key)
        old, new = (scopes.get(key.removesuffix(TURN)) for scopes in self._scopes)
        return after is not None and type(before) is type(after) and old == new


def _done(done: "tuple[Done, ...] | list[Done]") -> list[str]:
    return [key for one in done for key in (one.element, *_done(one.inner))]


def _scopes(process: CompiledProcess) -> dict[str, str]:
    """The sub-process that each element stands in; empty for the process itself."""
    return {each.id: "" if each.scope == process.id else each.scope for each in process.definition.elements}
