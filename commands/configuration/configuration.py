"""Export a configuration as files, plan what a folder would change, and apply the plan."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Query, Registry, View, handles
from bpm.bus.batch import MessageBatch
from bpm.errors import Conflict, Forbidden, Invalid
from bpm.security.permissions import Permission
from bpm.security.secret_names import SOURCE_NAMES
from bpm.threads import in_thread
from commands.configuration.export import exported
from commands.configuration.messages import PlanMessages
from commands.configuration.parts import (
    ConfigurationFields,
    DecisionDocument,
    FormDocument,
    RuleDocument,
    literal_secrets,
    problems_of_parts,
)
from commands.configuration.plan import Action, PlannedChange, digest_of, make_plan
from commands.configuration.present import PartName, PresentPart, Wanted, read_parts
from router.tables.configs import note_applied
from router.tables.revisions import lock_configs

READERS: Mapping[str, Sequence[Permission]] = {
    "rule": ("webhooks:write", "webhooks:read"),
    "process": ("processes:write", "processes:read"),
    "decision": ("processes:write", "processes:read"),
    "form": ("processes:write", "processes:read"),
}
"""What one must be allowed to see the parts of a kind as they are, the secrets in their texts included."""


MAX_CHANGES = 200
"""How many parts are changed in one transaction: everybody waits for it."""

ORDERS = {
    "kind": "rule",
    "key": "orders",
    "description": "Orders of the shop",
    "isEnabled": True,
    "path": "shop/orders",
    "action": "POST",
    "executionType": 0,
    "commandName": "PublishEventCommand",
    "parameters": {"event": "order.placed", "data": "{{payload}}"},
}
"""The example that the catalogue shows."""


class FieldChangeView(View):
    """What a field is and what it would be; `file` and `script` are whole texts."""

    field: str
    """The name of the field."""
    before: Any
    """What it is."""
    after: Any
    """What it would be."""


class PartChangeView(View):
    """A part that would be created, updated or deleted."""

    action: Action
    """What would be done."""
    kind: str
    """Which kind of part it is."""
    key: str
    """The key of the part."""
    fields: list[FieldChangeView]
    """The fields that would change."""


class ConfigurationPlanView(View):
    """What applying a folder changes; `base` names the state that the plan starts from."""

    changes: list[PartChangeView]
    """The parts that would change."""
    unchanged: int
    """How many parts stay as they are."""
    base: str
    """The state that the plan starts from."""


class ConfigurationView(View):
    """The parts of a configuration and the texts of their files; `leftOut` are kinds you may not read or change."""

    parts: list[dict[str, Any]]
    """The parts, as a folder's files hold them."""
    files: dict[str, str]
    """The texts of the files by name."""
    left_out: list[str] = Field(default_factory=list[str])
    """The kinds of parts that you may not read or change."""


class ExportConfigurationQuery(Query[ConfigurationView]):
    """Return rules, processes, decisions and forms as they are applied; of the versions the newest.

    With `label` only the rules that have it. Kinds of parts that you may not read or change are left out. Secrets that
    are stored are `***`.
    """

    permission = None
    succeeded = "Configuration exported successfully"

    label: Annotated[str, Field(min_length=1, max_length=100)] | None = None


@handles
def export(query: ExportConfigurationQuery, context: Context) -> ConfigurationView:
    """Read everything the sender may read and change."""
    kinds = frozenset(kind for kind in READERS if _may_read(context, kind))
    present = read_parts(context, Wanted(label=query.label, kinds=kinds))
    if query.label is not None:
        present = {name: each for name, each in present.items() if each.kind != "rule" or query.label in each.labels}
    parts, files = exported(present.values())
    return ConfigurationView(parts=parts, files=files, left_out=sorted(READERS.keys() - kinds))


class PlanConfigurationQuery(Query[ConfigurationPlanView], ConfigurationFields):
    """Say what ApplyConfigurationCommand would do with these parts."""

    permission = None
    succeeded = "Configuration compared successfully"
    failed = "Validation failed"
    sources = SOURCE_NAMES
    sample = {"parts": [ORDERS]}

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """See `problems_of_parts`."""
        return problems_of_parts(fields)


@handles
def compare(query: PlanConfigurationQuery, context: Context) -> ConfigurationPlanView:
    """Compare the parts with what there is."""
    _refuse_secrets(query)
    present = _present(query, context)
    return _plan_view(query, make_plan(query, present), present)


class ApplyConfigurationCommand(Command[ConfigurationPlanView], ConfigurationFields):
    """Make everything as in these parts, in one transaction; what is not among them stays as it is.

    `base` is that of the plan: if a part was changed since, nothing is done. Each change is sent as the message that
    would make it alone (CreateWebHookConfigCommand and so on), with your rights, and is live at once. Rules show in
    `appliedAt` that they are as files say, until somebody changes them otherwise.
    """

    permission = None
    succeeded = "Configuration applied successfully"
    failed = "Validation failed"
    sources = SOURCE_NAMES
    time_limit = 120.0
    sample = {"parts": [ORDERS], "base": "…"}

    base: Annotated[str, Field(min_length=1, max_length=100)]
    """The state that the plan started from."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """See `problems_of_parts`."""
        return problems_of_parts(fields)


@handles
async def apply(
    command: ApplyConfigurationCommand, context: EffectContext, registry: Registry
) -> ConfigurationPlanView:
    """Plan, prepare every message, and do all of them if nothing was changed meanwhile."""
    _refuse_secrets(command)
    present = await context.read(lambda inside: _present(command, inside))
    _refuse_stale(command, present)
    plan = make_plan(command, present)
    if len(plan) > MAX_CHANGES:
        raise Invalid(f"parts: {len(plan)} are changed, and at most {MAX_CHANGES} at once; apply some of them first")
    parts = await in_thread(context.organization_id, partial(PlanMessages(command, registry).parts, plan))

    def before(inside: Context) -> None:
        lock_configs(inside.tx)
        _refuse_stale(command, _present(command, inside))

    def after(inside: Context, results: Sequence[Any]) -> ConfigurationPlanView:
        _refuse_others(command, plan, inside)
        rules = [part.key for part in command.parts if isinstance(part, RuleDocument)]
        note_applied(inside.tx, inside.organization_id, rules, inside.now())
        return _plan_view(command, plan, present)

    return await MessageBatch(registry, context).conclude(parts, before, after)


def _present(folder: ConfigurationFields, context: Context) -> dict[PartName, PresentPart]:
    """Return the parts that a plan is about; raises `Forbidden` for kinds that the sender may not read or change."""
    keys: dict[str, set[str]] = {}
    for part in folder.parts:
        keys.setdefault(part.kind, set()).add(part.key)
    if folder.prune:
        keys.setdefault("rule", set())
    for kind in keys:
        _require(context, kind, f"Changing a {kind} by files")
    label = folder.label if folder.prune else None
    return read_parts(context, Wanted(keys, label, frozenset(keys)))


def _may_read(context: Context, kind: str) -> bool:
    try:
        _require(context, kind, "Exporting")
    except Forbidden:
        return False
    return True


def _require(context: Context, kind: str, purpose: str) -> None:
    for permission in READERS[kind]:
        context.require(context.principal, permission, purpose)


def _refuse_secrets(folder: ConfigurationFields) -> None:
    rules = (part for part in folder.parts if isinstance(part, RuleDocument))
    found = [f"rule {rule.key}: {sentence}" for rule in rules for sentence in literal_secrets(rule)]
    if found:
        raise Invalid(*found, message="Validation failed")


def _refuse_stale(command: ApplyConfigurationCommand, present: Mapping[PartName, PresentPart]) -> None:
    if digest_of(present) != command.base:
        raise Conflict("base: a part was changed since the plan was made; make a new plan and look at it")


def _refuse_others(folder: ConfigurationFields, plan: Sequence[PlannedChange], inside: Context) -> None:
    """Raise `Invalid` where a file held something else than its part says: what comes of the plan would not be it."""
    changed = {change.name for change in plan}
    by_kind = {kind: {part.key for part in folder.parts if part.kind == kind} for kind in ("decision", "form")}
    there = read_parts(inside, Wanted(by_kind, None, frozenset(by_kind)))
    for part in folder.parts:
        found = there.get((part.kind, part.key))
        is_as_planned = found is not None and found.source == folder.files.get(getattr(part, "file", ""))
        if isinstance(part, DecisionDocument | FormDocument) and (part.kind, part.key) in changed and not is_as_planned:
            raise Invalid(f"{part.kind} {part.key}: {part.file} holds no {part.kind} of this id")


def _plan_view(
    folder: ConfigurationFields, plan: Sequence[PlannedChange], present: Mapping[PartName, PresentPart]
) -> ConfigurationPlanView:
    changes = [_change_view(change) for change in plan]
    wanted = sum(change.wanted is not None for change in plan)
    return ConfigurationPlanView(changes=changes, unchanged=len(folder.parts) - wanted, base=digest_of(present))


def _change_view(change: PlannedChange) -> PartChangeView:
    kind, key = change.name
    fields = [FieldChangeView(field=name, before=was, after=is_) for name, (was, is_) in change.fields.items()]
    return PartChangeView(action=change.action, kind=kind, key=key, fields=fields)
