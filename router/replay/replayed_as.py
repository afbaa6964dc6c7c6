"""By what a replayed request is executed where that is not its rule as it is: an earlier revision, or a draft.

The rule as it is still judges the request; only what is made of it is the earlier revision's or the draft's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from bpm.errors import Conflict, NotFound
from bpm.security.permissions import KEY, USER, Authority
from bpm.store import Database, Transaction
from router.config_secrets import with_stored_secrets
from router.parameter_secrets import placeholders_in
from router.rule import Rule
from router.rule_compiler import authority_of
from router.tables import configs
from router.tables.configs import RuleRow
from router.tables.drafts import find_draft
from router.tables.requests import RequestRow
from router.tables.revisions import find_revision

DELETED = "the configuration was deleted before the request was executed"
SECRET_SECTIONS = ("signature", "handshake", "keys")


@dataclass(frozen=True, slots=True)
class ReplayedAs:
    """A revision of a request's rule, or of a draft of it, and on whose behalf somebody asked for that."""

    revision: int
    draft_id: int | None
    asker: Authority

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {"revision": self.revision, "draftId": self.draft_id, "asker": self.asker.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read it from where it is stored."""
        return cls(stored["revision"], stored["draftId"], Authority.from_json(stored["asker"]))


@dataclass(frozen=True, slots=True)
class StoredDefinition:
    """What a revision or a draft says, and who answers for it."""

    fields: Mapping[str, Any]
    authority: Authority


class ReplayedRules:
    """Finds and compiles the rules by which requests are replayed."""

    def __init__(self, database: Database, compile_rule: Callable[[RuleRow], Rule]) -> None:
        """Take where revisions and drafts are, and how a row becomes a rule."""
        self._database = database
        self._compile = compile_rule

    async def rule(self, row: RequestRow, replayed_as: ReplayedAs) -> Rule:
        """Return the rule by which a request is executed, which acts for all who had a hand in it.

        Its secrets are those that the configuration has now. Raises `NotFound` for what is gone or has changed.
        """
        return self._compile(await self._database.read(lambda tx: rule_row(tx, row, replayed_as)))


def rule_row(tx: Transaction, request: RequestRow, replayed_as: ReplayedAs) -> RuleRow:
    """Return the row of the rule by which a request is executed; raises `NotFound`, and `Conflict` without a secret.

    What proves senders and signs texts is the configuration's of now, whatever the revision or the draft says.
    """
    live = None
    if request.config_id is not None:
        live = configs.config_by_id(tx, request.organization_id, request.config_id)
    if live is None:
        raise NotFound(DELETED)
    row = RuleRow.of(live)
    stored = _definition(tx, request, replayed_as)
    definition = with_stored_secrets(stored.fields, row.definition)
    definition |= {section: row.definition.get(section) for section in SECRET_SECTIONS}
    for place in placeholders_in(definition):
        raise Conflict(f"{place}: the secret of then is not kept, and the configuration has none there now")
    return row._replace(
        revision=replayed_as.revision,
        definition=definition,
        authority=authority_of(row).joined(stored.authority).joined(replayed_as.asker).to_json(),
    )


def _definition(tx: Transaction, request: RequestRow, replayed_as: ReplayedAs) -> StoredDefinition:
    assert request.config_id is not None
    if replayed_as.draft_id is not None:
        draft = find_draft(tx, request.organization_id, replayed_as.draft_id)
        if draft is None or draft.revision != replayed_as.revision or draft.config_id != request.config_id:
            raise NotFound(f"the draft {replayed_as.draft_id} was changed, published or discarded; replay anew")
        return StoredDefinition(draft.definition, Authority.from_json(draft.authority))
    revision = find_revision(tx, request.organization_id, request.config_id, replayed_as.revision)
    if revision is None:
        raise NotFound(f"the configuration has no revision {replayed_as.revision}")
    return StoredDefinition(revision.definition, _saved_by(revision.author_id))


def _saved_by(author_id: str) -> Authority:
    """Ask whoever saved a revision; what a rule or the product itself saved has no account of its own."""
    return Authority((author_id,) if author_id.startswith((USER, KEY)) else ())
