"""What a dry run or a back-test is about: a saved configuration, a saved draft, or one that is not saved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bpm.bus import Context, EffectContext, Registry
from bpm.errors import NotFound
from bpm.security.permissions import Permission
from bpm.security.secrets import SecretBox
from commands.webhooks.addresses import check_address
from commands.webhooks.changes import draft_row
from commands.webhooks.checks import Findings, check_code, check_references
from commands.webhooks.drafts import get_draft_or_404
from commands.webhooks.origin import WRITTEN, ChangeOrigin
from commands.webhooks.stored_fields import fields_of_draft
from router.config import WebHookFields
from router.config_demands import demands
from router.tables import configs
from router.tables.configs import RuleRow
from scripts import Sandbox

READ_RULES: Permission = "webhooks:read"


class NamesConfiguration(Protocol):
    """A message that names a saved configuration, one that is not saved, changes to a saved one, or a saved draft."""

    id: int | None
    draft_id: int | None

    @property
    def config(self) -> WebHookFields | None:
        """What is not saved, or changes to what is."""
        ...


@dataclass(frozen=True, slots=True)
class TriedConfiguration:
    """A configuration to be tried: the saved one with an `id`, with other fields where `config` has them."""

    id: int | None
    config: WebHookFields | None
    origin: ChangeOrigin = WRITTEN

    @property
    def is_own(self) -> bool:
        """Whether it is what the sender has just written, so that nobody else is asked."""
        return self.config is not None and self.origin is WRITTEN

    async def check_code(self, sandbox: Sandbox, organization_id: int) -> Findings:
        """Compile the script, if it is not one that was saved."""
        return await check_code(self.config, sandbox, organization_id) if self.config is not None else Findings()


def subject_problems(fields: Mapping[str, Any]) -> Iterable[str]:
    """Return what is wrong with the configuration of such a message: a draft must be one that could be saved."""
    if fields.get("draftId") is not None:
        if fields.get("id") is not None or fields.get("config") is not None:
            yield "draftId: can't be set together with id or config"
    elif fields.get("id") is None and fields.get("config") is None:
        yield "id: is required, or draftId, or config for what is not saved"
    config = fields.get("config")
    if isinstance(config, Mapping):
        yield from (f"config.{sentence}" for sentence in demands(config))  # pyright: ignore[reportUnknownArgumentType]


async def find_subject(
    command: NamesConfiguration, context: EffectContext, registry: Registry, box: SecretBox
) -> TriedConfiguration:
    """Return what a message names; raises `NotFound`, and `Forbidden` for a draft that one may not see."""
    draft_id = command.draft_id
    if draft_id is None:
        return TriedConfiguration(command.id, command.config)

    def find(inside: Context) -> TriedConfiguration:
        inside.require(inside.principal, READ_RULES, "Trying a saved draft")
        row = get_draft_or_404(draft_id, inside)
        return TriedConfiguration(row.config_id, fields_of_draft(row, registry, box), ChangeOrigin.of(row))

    return await context.read(find)


def row_of(
    subject: TriedConfiguration, findings: Findings, context: Context, registry: Registry, box: SecretBox
) -> RuleRow:
    """Return the saved row, or the row that the draft would become; what is wrong with it goes to `findings`."""
    if subject.id is not None:
        context.require(context.principal, READ_RULES, "Trying a saved configuration")
    saved = configs.config_by_id(context.tx, context.organization_id, subject.id) if subject.id is not None else None
    if subject.id is not None and saved is None:
        raise NotFound("Configuration not found")
    if subject.config is None:
        assert saved is not None
        return RuleRow.of(saved)
    check_references(subject.config, findings, context, registry)
    check_address(subject.config, findings, context, own_id=subject.id)
    return draft_row(subject.config, saved, findings, context, box, subject.origin)
