"""What was deployed, ready to run: each version of a process compiled once, each decision read once."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bpm.bpmn.binding import LATEST, Binding
from bpm.bpmn.compiler.compile import CompiledProcess, load_deployed
from bpm.bus import Context
from bpm.dmn import Decision, load_decisions
from bpm.errors import NotFound
from bpm.process import definition_tables
from bpm.process.bindings import bound_decision
from bpm.process.source_cache import CompiledSource, SourceCache
from bpm.security.permissions import Authority
from bpm.store import Transaction
from bpm.store.committed_cache import CommittedCache

CACHED_AUTHORITIES = 5_000


class WrittenDecision(NamedTuple):
    """A version of a decision, and who wrote it."""

    decision: Decision
    authors: Authority


class FreshProcess(NamedTuple):
    """A version that was just deployed: its number, what it is compiled to, and how many characters it has."""

    id: int
    process: CompiledProcess
    size: int


def _decisions(source: str, _key: str) -> Mapping[str, Decision]:
    return load_decisions(source, is_deployed=True)


class DefinitionCache:
    """Keeps what was used last; versions never change, so nothing here grows old."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._processes = SourceCache[CompiledProcess](load_deployed)
        self._authorities = CommittedCache[int, Authority](CACHED_AUTHORITIES)
        self._decisions = SourceCache[Mapping[str, Decision]](_decisions, len)

    def process(self, context: Context, definition_id: int) -> CompiledProcess:
        """Return a definition ready to run; raises `NotFound`."""

        def find() -> tuple[str, str]:
            deployed = definition_tables.find_definition(context.tx.session(None), definition_id)
            if deployed is None:
                raise NotFound(f"there is no process definition {definition_id}")
            return deployed.bpmn_xml, deployed.key

        return self._processes.get(context, definition_id, find)

    def keep(self, tx: Transaction, fresh: FreshProcess) -> None:
        """Keep a definition that was just stored and is compiled already."""
        self._processes.keep(tx, fresh.id, CompiledSource(fresh.process, fresh.size))

    def keep_decisions(self, tx: Transaction, ids: Iterable[int], decisions: Mapping[str, Decision], size: int) -> None:
        """Keep the decisions of a file of so many characters that was just stored and is read already."""
        for decision_id in ids:
            self._decisions.keep(tx, decision_id, CompiledSource(decisions, size))

    def authority(self, tx: Transaction, definition_id: int) -> Authority:
        """Return who answers for what a definition's steps do: the authors of its diagram; raises `NotFound`."""
        return self._authorities.get(tx, definition_id, lambda: definition_tables.authority_of(tx, definition_id))

    def decision(
        self, context: Context, key: str, binding: Binding = LATEST, definition_id: int | None = None
    ) -> WrittenDecision:
        """Return the version of a decision that a version of a process means, and who wrote it; raises `NotFound`."""
        deployed = bound_decision(context.session, key, binding, definition_id)
        if deployed is None or deployed.id is None:
            raise NotFound(f"there is no decision {key}{binding}; deploy it with CreateDecisionDefinitionCommand")
        xml = deployed.dmn_xml
        decisions = self._decisions.get(context, deployed.id, lambda: (xml, ""))
        authors = Authority() if deployed.authority is None else Authority.from_json(deployed.authority)
        return WrittenDecision(decisions[key], authors)
