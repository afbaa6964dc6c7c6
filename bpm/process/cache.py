"""What was deployed, ready to run: each version of a process compiled once, each decision read once."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

from bpm.bpmn.binding import LATEST, Binding
from bpm.bpmn.compiler.compile import CompiledProcess, load
from bpm.bus import Context
from bpm.dmn import Decision, load_decisions
from bpm.errors import NotFound
from bpm.process import definition_tables
from bpm.process.bindings import bound_decision
from bpm.process.stored import restored_source
from bpm.security.permissions import Authority
from bpm.security.secrets import SecretBox
from bpm.store import Transaction
from bpm.store.committed import CommittedCache

CACHED_DEFINITIONS = 500


class WrittenDecision(NamedTuple):
    """A version of a decision, and who wrote it."""

    decision: Decision
    authors: Authority


class Deployed:
    """Keeps what was used last; versions never change, so nothing here grows old."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._processes = CommittedCache[int, CompiledProcess](CACHED_DEFINITIONS)
        self._authorities = CommittedCache[int, Authority](CACHED_DEFINITIONS)
        self._decisions = CommittedCache[int, Mapping[str, Decision]](CACHED_DEFINITIONS)

    def process(self, context: Context, definition_id: int) -> CompiledProcess:
        """Return a definition ready to run; raises `NotFound`."""

        def look_up() -> CompiledProcess:
            deployed = definition_tables.find_definition(context.tx.session(None), definition_id)
            if deployed is None:
                raise NotFound(f"there is no process definition {definition_id}")
            return load(restored_source(deployed.bpmn_xml, context.box), deployed.key)

        return self._processes.get(context.tx, definition_id, look_up)

    def keep(self, tx: Transaction, definition_id: int, process: CompiledProcess) -> None:
        """Keep a definition that was just stored and is compiled already."""
        self._processes.get(tx, definition_id, lambda: process)

    def keep_decisions(self, tx: Transaction, ids: Iterable[int], decisions: Mapping[str, Decision]) -> None:
        """Keep the decisions of a file that was just stored and is read already."""
        for decision_id in ids:
            self._decisions.get(tx, decision_id, lambda: decisions)

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
        read = partial(_decisions, xml, context.box)
        authors = Authority() if deployed.authority is None else Authority.from_json(deployed.authority)
        return WrittenDecision(self._decisions.get(context.tx, deployed.id, read)[key], authors)


def _decisions(xml: str, box: SecretBox) -> Mapping[str, Decision]:
    return load_decisions(restored_source(xml, box))
