"""What was deployed, ready to run: each version of a process compiled once, each decision read once."""

from collections import OrderedDict
from collections.abc import Mapping

from bpm.bus import Context
from bpm.errors import NotFound
from bpm.process import definition_tables
from bpm.process.compile import CompiledProcess, load
from bpm.process.decision_tables import newest_decision
from bpm.process.decisions import Decision, load_decisions
from bpm.security.permissions import Authority
from bpm.store import Transaction

CACHED_DEFINITIONS = 500


class Deployed:
    """Keeps what was used last; versions never change, so nothing here grows old."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._processes: OrderedDict[int, CompiledProcess] = OrderedDict()
        self._authorities: OrderedDict[int, Authority] = OrderedDict()
        self._decisions: OrderedDict[int, Mapping[str, Decision]] = OrderedDict()

    def process(self, context: Context, definition_id: int) -> CompiledProcess:
        """Return a definition ready to run; raises `NotFound`."""
        process = self._processes.get(definition_id)
        if process is None:
            deployed = definition_tables.find_definition(context.tx.session(None), definition_id)
            if deployed is None:
                raise NotFound(f"there is no process definition {definition_id}")
            process = self._processes[definition_id] = load(deployed.bpmn_xml, deployed.key)
            if len(self._processes) > CACHED_DEFINITIONS:
                self._processes.popitem(last=False)
        return process

    def authority(self, tx: Transaction, definition_id: int) -> Authority:
        """Return who answers for what a definition's steps do: the authors of its diagram; raises `NotFound`."""
        authority = self._authorities.get(definition_id)
        if authority is None:
            authority = self._authorities[definition_id] = definition_tables.authority_of(tx, definition_id)
            if len(self._authorities) > CACHED_DEFINITIONS:
                self._authorities.popitem(last=False)
        return authority

    def decision(self, context: Context, key: str) -> Decision:
        """Return the newest version of a decision; raises `NotFound`."""
        deployed = newest_decision(context.session, key)
        if deployed is None or deployed.id is None:
            raise NotFound(f"there is no decision {key}; deploy it with CreateDecisionDefinitionCommand")
        decisions = self._decisions.get(deployed.id)
        if decisions is None:
            decisions = self._decisions[deployed.id] = load_decisions(deployed.dmn_xml)
            if len(self._decisions) > CACHED_DEFINITIONS:
                self._decisions.popitem(last=False)
        return decisions[key]
