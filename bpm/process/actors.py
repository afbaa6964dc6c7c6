"""Who acts in a process: the people that an instance acts for, and the engine itself."""

from collections.abc import Set

from bpm.process.rows import InstanceRow
from bpm.security.permissions import Authority, Permission, Principal
from bpm.security.stored_principal import StoredPrincipal


def engine_of(organization_id: int, permissions: Set[Permission]) -> Principal:
    """Return the engine as it acts for an organisation, with just what it needs."""
    return Principal("system", "system:process", "process engine", organization_id, frozenset(permissions))


def starter_of(row: InstanceRow, authors: Authority) -> Principal:
    """Return whom an instance's steps act for; what they may do, the bus asks at each step.

    Asked are who started it (of a called instance: everybody that the calling one acts for), who migrated it to its
    version or moved its tokens, and `authors`, who wrote that version.
    """
    stored = StoredPrincipal(row.starter_id, row.starter_name, row.organization_id, row.permissions, row.authority)
    migrator = Authority() if row.migrator is None else Authority.from_json(row.migrator)
    return stored.acting("process", migrator, authors)
