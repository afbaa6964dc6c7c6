"""The migrations that an application brings for its own tables: a folder `migrations/versions` in its package."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select
from sqlmodel.main import default_registry

from bpm.errors import Misconfigured

OWN_PACKAGES = frozenset({"bpm", "commands", "router", "scripts"})
"""The packages whose tables our migrations make; every other table is an application's."""

VERSION_TABLE = "alembic_version"
"""How the tables are called, or begin, that tell which migrations were made."""


@dataclass(frozen=True, slots=True)
class ApplicationMigrations:
    """The migrations of one package, in the order of the numbers with which their files begin."""

    package: str
    folder: Path

    @property
    def version_table(self) -> str:
        """Where the database remembers the last one that was made."""
        return f"{VERSION_TABLE}_{self.package.replace('.', '_')}"

    def revisions(self) -> list[str]:
        """Return the revision of each, the first one first: its file's number, as in `0001_first.py`."""
        return sorted(path.stem.split("_")[0] for path in self.folder.glob("[0-9]*.py"))

    def revision_in(self, connection: Connection) -> str | None:
        """Return the last one that was made; raises `Misconfigured` for one that this version does not know."""
        if not inspect(connection).has_table(self.version_table):
            return None
        table = Table(self.version_table, MetaData(), Column("version_num", String))
        revision = connection.execute(select(table.c.version_num)).scalar()
        if revision not in (None, *self.revisions()):
            raise Misconfigured(
                f"the tables of {self.package} are at revision {revision}, which the installed version of it does not "
                "know; install the version that made them, or restore a backup"
            )
        return revision

    def is_behind(self, connection: Connection) -> bool:
        """Tell whether some are still to be made."""
        return self.revision_in(connection) != self.revisions()[-1]


def own_tables() -> list[Table]:
    """Return the tables that our migrations make."""
    mapped = (mapper for mapper in default_registry.mappers if isinstance(mapper.local_table, Table))
    ours = (mapper for mapper in mapped if mapper.class_.__module__.partition(".")[0] in OWN_PACKAGES)
    return [cast("Table", mapper.local_table) for mapper in ours]


def application_tables() -> list[Table]:
    """Return the tables that imported application packages define."""
    return [table for _, table in _tables_by_module()]


def application_migrations() -> list[ApplicationMigrations]:
    """Return the migrations of every imported package that has both tables and migrations; raises `Misconfigured`."""
    packages = {package for module, _ in _tables_by_module() if (package := _migrated_by(module)) is not None}
    return told_apart([ApplicationMigrations(package, _folder(package)) for package in sorted(packages)])


def told_apart(migrations: list[ApplicationMigrations]) -> list[ApplicationMigrations]:
    """Return them; raises `Misconfigured` for two packages whose versions would be remembered in one table."""
    packages: dict[str, str] = {}
    for each in migrations:
        other = packages.setdefault(each.version_table, each.package)
        if other != each.package:
            raise Misconfigured(
                f"{other} and {each.package} would both keep in {each.version_table} which of their migrations were "
                "made; rename one of the packages"
            )
    return migrations


def unmigrated_tables() -> list[Table]:
    """Return the tables of packages without migrations: they are created when they are missing."""
    return [table for module, table in _tables_by_module() if _migrated_by(module) is None]


def run_migrations(connection: Connection, versions: Path, version_table: str) -> None:
    """Let Alembic run all migrations of a folder that the version table does not have."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "version_table": version_table})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    command.upgrade(config, "head")


def _tables_by_module() -> Iterable[tuple[str, Table]]:
    for mapper in default_registry.mappers:
        module = mapper.class_.__module__
        if isinstance(mapper.local_table, Table) and module.partition(".")[0] not in OWN_PACKAGES:
            yield module, mapper.local_table


def _migrated_by(module: str) -> str | None:
    """Return the package around a module that has migrations; the nearest one counts."""
    parts = module.split(".")
    packages = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((package for package in packages if _versions(package) is not None), None)


def _folder(package: str) -> Path:
    folder = _versions(package)
    assert folder is not None
    return folder


def _versions(package: str) -> Path | None:
    places = getattr(sys.modules.get(package), "__path__", ())
    folders = (Path(place) / "migrations" / "versions" for place in places)
    return next((folder for folder in folders if any(folder.glob("[0-9]*.py"))), None)
