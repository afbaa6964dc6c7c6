"""Deployed definitions, version by version."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Select, UniqueConstraint, bindparam, select
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.errors import NotFound
from bpm.process.newest_versions import newest_versions
from bpm.security.permissions import KEY, USER, Authority, stored_authority
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.named_lock import take_named_lock
from bpm.store.session import ScopedSession


class DeployedProcess(OrganizationRow, table=True):
    """One version of a process definition.

    `authority` names who wrote its diagram: they are asked at every step. `switched_on_by` names who let it begin
    instances by itself, which act for them. `permissions` are what its author might do when it was deployed: they
    count for rows from before there were authorities, and are a record for the others. `gaps` is a sealed
    list of what is missing from a draft, which is never started; it is null for a version that can be. The versions of
    one file have the same `created_at`.
    """

    __table_args__ = (UniqueConstraint("organization_id", "key", "version"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    key: str
    version: int
    name: str
    description: str = ""
    category: str | None = None
    bpmn_xml: str
    trigger_events: list[str] = Field(sa_type=JsonColumn)
    is_active: bool
    metadata_: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    author_id: str
    author_name: str = ""
    permissions: list[str] = Field(sa_type=JsonColumn)
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    switched_on_by: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    gaps: str | None = None
    version_tag: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


DEFINITIONS = DeployedProcess.table()
_STARTABLE = select(DEFINITIONS.c.id, DEFINITIONS.c.key, DEFINITIONS.c.is_active).where(
    DEFINITIONS.c.organization_id == bindparam("organization"), DEFINITIONS.c.id == bindparam("id_")
)
_NEWEST_STARTABLE = (
    select(DEFINITIONS.c.id, DEFINITIONS.c.key, DEFINITIONS.c.is_active)
    .where(
        DEFINITIONS.c.organization_id == bindparam("organization"),
        DEFINITIONS.c.key == bindparam("key_"),
        DEFINITIONS.c.is_active.is_(True),
    )
    .order_by(DEFINITIONS.c.version.desc())
    .limit(1)
)
_AUTHORITY = select(
    DEFINITIONS.c.authority, DEFINITIONS.c.author_id, DEFINITIONS.c.author_name, DEFINITIONS.c.permissions
).where(DEFINITIONS.c.id == bindparam("id_"))


def find_definition(session: ScopedSession, definition_id: int) -> DeployedProcess | None:
    """Return one version of a definition."""
    return session.exec(select_rows(DeployedProcess).where(col(DeployedProcess.id) == definition_id)).first()


def find_startable(tx: Transaction, organization_id: int, definition_id: int) -> Any:
    """Return what starting an instance needs to know of a version, or None: its id, key and whether it is active."""
    named = {"organization": organization_id, "id_": definition_id}
    return tx.remembered(
        ("startable", organization_id, definition_id), lambda: tx.reading.execute(_STARTABLE, named).first()
    )


def newest_startable(tx: Transaction, organization_id: int, key: str) -> Any:
    """Return the same of the newest active version of a process, or None."""
    named = {"organization": organization_id, "key_": key}
    return tx.remembered(("newest", organization_id, key), lambda: tx.reading.execute(_NEWEST_STARTABLE, named).first())


def authority_of(tx: Transaction, definition_id: int) -> Authority:
    """Return who answers for what a version's steps do: the authors of its diagram. Raises `NotFound`."""
    row = tx.reading.execute(_AUTHORITY, {"id_": definition_id}).first()
    if row is None:
        raise NotFound(f"there is no process definition {definition_id}")
    return authors_of(row)


def authors_of(deployed: Any) -> Authority:
    """Return who answers for what a version's steps do: the authors of its diagram.

    Versions from before the author's name and permissions were kept (migration 0009) know the account alone.
    """
    if deployed.authority is None and not deployed.author_name and deployed.author_id.startswith((USER, KEY)):
        return Authority((deployed.author_id,))
    return stored_authority(deployed.authority, deployed.author_id, deployed.permissions)


def starters_of(deployed: DeployedProcess) -> Authority:
    """Return whom the instances act for that a version begins by itself: its authors, and who switched it on."""
    authors = authors_of(deployed)
    return authors if deployed.switched_on_by is None else authors.joined(Authority.from_json(deployed.switched_on_by))


def lock_versions(tx: Transaction, organization_id: int, key: str) -> None:
    """Wait until nobody else says which version of a process begins instances."""
    take_named_lock(tx, f"versions of process {organization_id}:{key}")


def newest_definition(session: ScopedSession, key: str, *, active: bool = False) -> DeployedProcess | None:
    """Return the newest version of a process, or its newest active one."""
    statement = select_rows(DeployedProcess).where(col(DeployedProcess.key) == key)
    if active:
        statement = statement.where(col(DeployedProcess.is_active).is_(True))
    return session.exec(statement.order_by(col(DeployedProcess.version).desc())).first()


def newest_definitions(tx: Transaction, organization_id: int, keys: Iterable[str] | None = None) -> Iterator[Any]:
    """Return the newest version of each process that is no draft, of those with these keys if they are given."""
    return newest_versions(tx, DEFINITIONS, organization_id, keys, DEFINITIONS.c.gaps.is_(None))


def names_of_versions(tx: Transaction, organization_id: int, ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """Return the key and version of each of these definitions."""
    found = select(DEFINITIONS.c.id, DEFINITIONS.c.key, DEFINITIONS.c.version).where(
        DEFINITIONS.c.organization_id == organization_id, DEFINITIONS.c.id.in_(list(ids))
    )
    return {row.id: (row.key, row.version) for row in tx.reading.execute(found)}


def id_of_version(tx: Transaction, organization_id: int, key: str, version: int | None) -> int | None:
    """Return the id of a version of a process, of the newest that is no draft without `version`; None without one."""
    found = select(DEFINITIONS.c.id).where(
        DEFINITIONS.c.organization_id == organization_id, DEFINITIONS.c.key == key, DEFINITIONS.c.gaps.is_(None)
    )
    if version is not None:
        found = found.where(DEFINITIONS.c.version == version)
    return tx.connection.execute(found.order_by(DEFINITIONS.c.version.desc()).limit(1)).scalar()


def version_ids(organization_id: int, key: str) -> Select[tuple[int]]:
    """Select the ids of every version of a process."""
    return select(DEFINITIONS.c.id).where(DEFINITIONS.c.organization_id == organization_id, DEFINITIONS.c.key == key)


def select_definitions(category: str | None, is_active: bool | None, key: str | None) -> Any:
    """Select definitions by category, activity and process id."""
    statement = select_rows(DeployedProcess)
    if category is not None:
        statement = statement.where(col(DeployedProcess.category) == category)
    if is_active is not None:
        statement = statement.where(col(DeployedProcess.is_active).is_(is_active))
    return statement if key is None else statement.where(col(DeployedProcess.key) == key)
