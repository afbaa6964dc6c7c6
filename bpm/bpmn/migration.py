"""Whether a running instance can go on with another version of its process."""

from bpm.bpmn.compiler.compile import CompiledProcess
from bpm.bpmn.state import TURN, Done, Instance


def missing_elements(instance: Instance, old: CompiledProcess, new: CompiledProcess) -> list[str]:
    """The elements an instance stands on that the new version lacks, or has as something else or elsewhere.

    An element counts when a token or a wait is there, a scope belongs to it, or it could still be compensated; a
    flow counts when a token that came by it waits at a join.
    """
    keys = [token.element for token in instance.tokens.values()]
    keys += [token.element for token in (instance.pending.moving if instance.pending else ())]
    keys += [wait.element for wait in instance.waits.values()]
    keys += [scope.element for scope in instance.scopes.values() if scope.element is not None]
    keys += [key for done in instance.done.values() for key in _done(done)]
    missing = [key.removesuffix(TURN) for key in dict.fromkeys(keys) if not _same(key, old, new)]
    flows = {flow.id for flow in new.definition.flows}
    at_joins = [token.flow for token in instance.tokens.values() if old.nodes[token.element].is_join]
    missing += [flow for flow in at_joins if flow is not None and flow not in flows]
    return list(dict.fromkeys(missing))


def _done(done: "tuple[Done, ...] | list[Done]") -> list[str]:
    return [key for one in done for key in (one.element, *_done(one.inner))]


def _same(key: str, old: CompiledProcess, new: CompiledProcess) -> bool:
    before, after = old.nodes.get(key), new.nodes.get(key)
    return after is not None and type(before) is type(after) and _scope(key, old) == _scope(key, new)


def _scope(key: str, process: CompiledProcess) -> str:
    """The sub-process an element stands in; empty for the process itself."""
    scopes = {element.id: element.scope for element in process.definition.elements}
    scope = scopes[key.removesuffix(TURN)]
    return "" if scope == process.id else scope
