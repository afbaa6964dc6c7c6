"""Which requests a back-test looks at, and by which rules."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from bpm.store import Database, Transaction
from router.backtest import tables
from router.backtest.tables import CapturedRequest
from router.paths import shape, values_at
from router.tables import requests
from router.tables.addresses import configs_at
from router.tables.configs import RuleRow

MAX_COUNT = 100_000
CHUNK = 10_000
"""How many requests one read looks through, so that no reader is held for long."""

UNPLANNED = ("is_contested", "paused_at")
"""What of a rule's row a plan does not keep: the rule is tried as if it answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A rule's row as it would be, the saved one it replaces, and the filters of the requests.

    Rows hold their secrets sealed, so a plan may be stored. `path` may end in `*`.
    """

    organization_id: int
    config: dict[str, Any]
    before: dict[str, Any] | None
    count: int
    since: str | None = None
    states: tuple[str, ...] = field(default_factory=tuple)
    path: str | None = None

    @classmethod
    def restored(cls, stored: dict[str, Any]) -> Self:
        """Return a plan as it was before it was stored."""
        fields: dict[str, Any] = {**stored, "states": tuple(stored["states"])}
        return cls(**fields)

    def stored(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return asdict(self)

    @property
    def row(self) -> RuleRow:
        """The row that the rule is compiled from."""
        return RuleRow(**self.config)

    @property
    def former_row(self) -> RuleRow | None:
        """The row of the saved rule, or None."""
        return RuleRow(**self.before) if self.before is not None else None

    def wants(self, request: CapturedRequest) -> bool:
        """Tell whether a request's state and path are among those asked for."""
        if request.state not in (self.states or tuple(s for s in requests.STATES if s != requests.DUPLICATE)):
            return False
        if self.path is None:
            return True
        return request.path.startswith(self.path[:-1]) if self.path.endswith("*") else request.path == self.path


async def chosen(plan: Plan, database: Database) -> list[str]:
    """Return the ids of the requests to examine, in the order they came.

    They are those captured for the configuration, or for those that answer its address and methods at present, and
    those that came to the address when nothing answered it.
    """
    own = {plan.config["id"]} if plan.config["id"] else set[int]()
    ids = own | await database.read(lambda tx: _answering(plan, tx))
    found = [place for config_id in sorted(ids) for place in await _newest(plan, database, config_id)]
    found += await _newest(plan, database, None)
    return [request_id for _, request_id in sorted(found)[-plan.count :]]


async def _newest(plan: Plan, database: Database, config_id: int | None) -> list[tuple[datetime, str]]:
    """Return the places in time of the newest requests captured for a configuration, or for none at its path."""
    which = tables.captured_for(config_id) if config_id is not None else tables.captured_for_nobody()
    since = datetime.fromisoformat(plan.since) if plan.since is not None else None
    found: list[tuple[datetime, str]] = []
    before: tuple[datetime, str] | None = None
    while len(found) < plan.count:
        rows = await database.read(
            lambda tx, at=before: tables.newest(tx, plan.organization_id, which, since, at, CHUNK)
        )
        wanted = (row for row in rows if plan.wants(row) and (config_id is not None or _answers(plan, row.path)))
        found += [(row.received_at, row.request_id) for row in wanted]
        if len(rows) < CHUNK:
            break
        before = (rows[-1].received_at, rows[-1].request_id)
    return found[: plan.count]


def _answering(plan: Plan, tx: Transaction) -> set[int]:
    """Return the ids of the configurations that answer the plan's address for one of its methods."""
    methods = {plan.row.action, *plan.row.definition.get("moreMethods", ())}
    here = configs_at(tx, plan.organization_id, shape(plan.row.path))
    return {each.id for each in here if methods & each.methods}


def _answers(plan: Plan, path: str) -> bool:
    return values_at(plan.config["path"], path) is not None


def snapshot_of(row: RuleRow) -> dict[str, Any]:
    """Return a configuration's row as a plan holds it."""
    return {name: value for name, value in row._asdict().items() if name not in UNPLANNED}
