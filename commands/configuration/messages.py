"""How the parts of a plan are sent: each as the message that would change it alone, with its sender's rights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bpm.bus import Context, Message, Registry
from bpm.bus.batch import TransactionPart
from bpm.errors import Invalid
from bpm.exact_json import plain
from bpm.process.definition_tables import id_of_version
from commands.configuration.parts import (
    ConfigurationFields,
    DecisionDocument,
    ProcessDocument,
    RuleDocument,
    fields_of_rule,
)
from commands.configuration.plan import PlannedChange, is_deployed

FIRST_VERSION = 1
"""Stands for the version of a process that is not there yet."""

Results = Sequence[Any]


class PlanMessages:
    """The messages of a plan, in its order; a file of decisions is one message."""

    def __init__(self, folder: ConfigurationFields, registry: Registry) -> None:
        """Take the folder with the texts, and what knows the messages."""
        self._folder = folder
        self._registry = registry
        self._deployed: dict[str, int] = {}
        self._files: set[str] = set()

    def parts(self, plan: Iterable[PlannedChange]) -> list[TransactionPart]:
        """Return the messages; raises `Invalid` for one whose fields are wrong."""
        made: list[TransactionPart] = []
        for change in plan:
            part = self._part(change, len(made))
            made += [part] if part is not None else []
        return made

    def _part(self, change: PlannedChange, at: int) -> TransactionPart | None:
        name, wanted, present = " ".join(change.name), change.wanted, change.present
        if wanted is None:
            assert present is not None
            return TransactionPart(name, self._decode(name, "DeleteWebHookConfigCommand", {"id": present.id}))
        if isinstance(wanted, RuleDocument):
            return self._rule(name, wanted, change)
        text = self._folder.files[wanted.file]
        if isinstance(wanted, ProcessDocument):
            return self._process(name, wanted, change, text, at)
        if isinstance(wanted, DecisionDocument):
            if wanted.file in self._files:
                return None
            self._files.add(wanted.file)
            return TransactionPart(name, self._decode(name, "CreateDecisionDefinitionCommand", {"dmnXml": text}))
        return TransactionPart(name, self._decode(name, "CreateFormDefinitionCommand", {"formJson": text}))

    def _process(self, name: str, part: ProcessDocument, change: PlannedChange, text: str, at: int) -> TransactionPart:
        if not is_deployed(change) and change.present is not None:
            command = "ActivateProcessDefinitionCommand" if part.is_active else "DeactivateProcessDefinitionCommand"
            return TransactionPart(name, self._decode(name, command, {"id": change.present.id}))
        self._deployed[part.key] = at
        about = plain(part, exclude={"kind", "key", "file"}, exclude_none=True)
        fields = {**about, "name": part.name or part.key, "bpmnXml": text, "processId": part.key}
        return TransactionPart(name, self._decode(name, "CreateProcessDefinitionCommand", fields))

    def _rule(self, name: str, part: RuleDocument, change: PlannedChange) -> TransactionPart:
        fields = fields_of_rule(part, self._folder.files)
        if part.process is not None:
            fields["processDefinitionId"] = FIRST_VERSION
        if change.present is None:
            message = self._decode(name, "CreateWebHookConfigCommand", {**fields, "key": part.key})
        else:
            known = {"id": change.present.id, "revision": int(change.present.revision)}
            message = self._decode(name, "UpdateWebHookConfigCommand", {**fields, **known})
        return TransactionPart(name, message, None if part.process is None else self._naming(part, message))

    def _naming(self, part: RuleDocument, message: Any) -> Callable[[Context, Results], None]:
        """Return what sets the version that a rule starts: the one that this plan deploys, or one that there is."""

        def name_version(context: Context, results: Results) -> None:
            at = self._deployed.get(part.process or "") if part.process_version is None else None
            found = results[at].id if at is not None else _version(part, context)
            message.process_definition_id = found

        return name_version

    def _decode(self, name: str, command: str, fields: Mapping[str, Any]) -> Message[Any]:
        try:
            return self._registry.decode(command, fields)
        except Invalid as invalid:
            raise Invalid(*(f"{name}: {sentence}" for sentence in invalid.errors)) from invalid


def _version(part: RuleDocument, context: Context) -> int:
    found = id_of_version(context.tx, context.organization_id, part.process or "", part.process_version)
    if found is None:
        version = "" if part.process_version is None else f" version {part.process_version} of"
        raise Invalid(f"process: there is no{version} process {part.process}")
    return found
