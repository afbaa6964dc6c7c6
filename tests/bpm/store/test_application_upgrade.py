"""Migrations of an application that fail, that harm the product, or that would keep the next start from succeeding."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, inspect, text

from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store import Database, open_database
from bpm.store.application_migrations import ApplicationMigrations
from bpm.store.application_upgrade import migrate_application
from bpm.store.sync_runner import run_sync

pytestmark = pytest.mark.anyio

T = TypeVar("T")
HEAD = """
import sqlalchemy as sa
from alembic import op
revision = {revision!r}
down_revision = {down!r}

def upgrade():
"""
MAKE = 'op.create_table("remark", sa.Column("id", sa.Integer(), primary_key=True))'


def migration(revision: object, down: str | None, *lines: str) -> str:
    """Return the source of a migration."""
    return HEAD.format(revision=revision, down=down) + "".join(f"    {line}\n" for line in lines)


FIRST = {"0001_first.py": migration("0001", None, MAKE)}
REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "another revision than its number": (
        {"0002_x.py": migration("abcd", "0001", "pass")},
        "0002_x.py is revision 'abcd'; write revision = '0002', as in its name",
    ),
    "a number in another way": (
        {"0002-x.py": migration("0002", "0001", "pass")},
        "0002-x.py is revision '0002'; write revision = '0002-x'",
    ),
    "a branch": (
        {"0002_a.py": migration("0002", "0001", "pass"), "0003_b.py": migration("0003", "0001", "pass")},
        "0003_b.py follows '0001', and depends on None; write down_revision = '0002'",
    ),
    "one number twice": (
        {"0002_a.py": migration("0002", "0001", "pass"), "0002_b.py": migration("0002", "0001", "pass")},
        "0002",
    ),
    "numbers that do not sort": (
        {"10_b.py": migration("10", "9", "pass"), "9_a.py": migration("9", "0001", "pass")},
        "10_b.py follows '9', and depends on None; write down_revision = '0001'",
    ),
    "a circle": (
        {"0002_a.py": migration("0002", "0003", "pass"), "0003_b.py": migration("0003", "0002", "pass")},
        "0002",
    ),
    "no predecessor": ({"0002_a.py": migration("0002", "0009", "pass")}, "0009"),
    "one of the product's": (
        {"0002_a.py": migration("0002", "0001", "pass") + 'depends_on = "0001"\n'},
        "depends on '0001'",
    ),
    "no revision": ({"0002_a.py": "x = 1\n"}, "0002_a.py"),
    "no upgrade": ({"0002_a.py": 'revision = "0002"\ndown_revision = "0001"\n'}, "upgrade"),
    "no Python": ({"0002_a.py": 'revision = "0002'}, "SyntaxError"),
    "an error as it is read": ({"0002_a.py": "raise KeyError('boo')"}, "0002_a.py, line 1: KeyError: 'boo'"),
    "an error after another one": (
        {
            "0002_a.py": migration("0002", "0001", 'op.add_column("remark", sa.Column("x", sa.Integer()))'),
            "0003_b.py": migration("0003", "0002", 'raise ValueError("no")'),
        },
        "failed in 0003_b.py, line 8: ValueError: no",
    ),
    "an end of the process": (
        {"0002_a.py": migration("0002", "0001", "raise SystemExit(0)")},
        "failed in 0002_a.py, line 8: SystemExit: 0",
    ),
    "a mistake in a statement": (
        {"0002_a.py": migration("0002", "0001", 'op.execute("DROP TABLE nowhere")')},
        "failed in 0002_a.py, line 8: ",
    ),
    "a commit of its own": (
        {"0002_a.py": migration("0002", "0001", 'op.execute(" commit")', 'raise ValueError("after")')},
        "'commit' ends the transaction that all migrations of a start are",
    ),
    "a block without a transaction": (
        {"0002_a.py": migration("0002", "0001", "with op.get_context().autocommit_block():", "    pass")},
        "failed in 0002_a.py, line 8: AssertionError",
    ),
    "a column of the product's that goes": (
        {"0002_a.py": migration("0002", "0001", "op.execute('ALTER TABLE \"user\" DROP COLUMN password_hash')")},
        "the migrations of remarks change what is the product's: user.password_hash",
    ),
    "a table of the product's that goes": (
        {"0002_a.py": migration("0002", "0001", 'op.drop_table("webhook_draft")')},
        "the migrations of remarks change what is the product's: webhook_draft.",
    ),
    "a column that the product gets": (
        {"0002_a.py": migration("0002", "0001", 'op.add_column("user", sa.Column("nickname", sa.String()))')},
        "the migrations of remarks change what is the product's: user.nickname",
    ),
    "the product's revision": (
        {"0002_a.py": migration("0002", "0001", "op.execute(\"UPDATE alembic_version SET version_num = '0001'\")")},
        "the migrations of remarks change what is the product's: alembic_version.0001",
    ),
}


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A started database of an installation."""
    databases = request.getfixturevalue("databases") if request.param == "postgres" else None
    url = databases.empty() if databases is not None else None
    opened = open_database(Settings(data_dir=tmp_path / "data", database_url=url))
    await opened.start()
    yield opened
    await opened.stop()
    if databases is not None:
        databases.drop(url)


@pytest.fixture
async def remarks(database: Database, tmp_path: Path) -> ApplicationMigrations:
    """A package whose first migration was made."""
    migrations = ApplicationMigrations("remarks", tmp_path / "remarks")
    migrations.folder.mkdir()
    write(migrations, FIRST)
    await within(database, lambda connection: migrate_application(connection, migrations))
    return migrations


def write(migrations: ApplicationMigrations, files: dict[str, str]) -> None:
    """Write migrations into the package's folder."""
    for name, source in files.items():
        (migrations.folder / name).write_text(source)


async def within(database: Database, work: Callable[[Connection], T]) -> T:
    """Do work in a transaction, as an upgrade does."""

    def do() -> T:
        with database.maintenance.begin() as connection:
            return work(connection)

    return await run_sync(do, database.maintenance)


def schema(connection: Connection) -> dict[str, list[str]]:
    """Return the columns of every table, and the revisions."""
    inspector = inspect(connection)
    tables = {name: [column["name"] for column in inspector.get_columns(name)] for name in inspector.get_table_names()}
    for name in ("alembic_version", "alembic_version_remarks"):
        tables[name] += connection.execute(text(f"SELECT version_num FROM {name}")).scalars().all()  # noqa: S608
    return tables


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_says_where_and_leaves_everything_as_it_was(
    database: Database, remarks: ApplicationMigrations, case: str
) -> None:
    """A sentence with the package and what to mend; the next start finds what this one found."""
    files, sentence = REFUSED[case]
    before = await within(database, schema)
    write(remarks, files)
    with pytest.raises(Misconfigured) as refused:
        await within(database, lambda connection: migrate_application(connection, remarks))
    told = " ".join(refused.value.errors)
    assert ("remarks" in told, sentence in told, "nothing of the upgrade was kept" in told.lower()) == (True,) * 3, told
    assert await within(database, schema) == before


async def test_a_chain_in_order_is_run_and_known_at_the_next_start(
    database: Database, remarks: ApplicationMigrations
) -> None:
    """Also one with savepoints, rows and a table made anew."""
    steps = (
        'op.execute("SAVEPOINT a")',
        'op.execute("ROLLBACK TO SAVEPOINT a")',
        'op.execute("INSERT INTO remark (id) VALUES (1)")',
        'with op.batch_alter_table("remark") as batch:',
        '    batch.add_column(sa.Column("x", sa.String()))',
    )
    write(remarks, {"0002_a.py": migration("0002", "0001", *steps), "0003_b.py": migration("0003", "0002", "pass")})
    assert await within(database, remarks.is_behind)
    await within(database, lambda connection: migrate_application(connection, remarks))
    assert not await within(database, remarks.is_behind)
    assert (await within(database, schema))["alembic_version_remarks"] == ["version_num", "0003"]
