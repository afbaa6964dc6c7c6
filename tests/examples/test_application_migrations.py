"""An application's own migrations: the recipe works as written, and what a table lacks is said at the start."""

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bpm.testing import ServerProcess

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "bring-tables-of-your-own.md"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TABLES = """
from datetime import datetime
from decimal import Decimal
from sqlalchemy import DateTime
from sqlmodel import Field
from bpm.store import OrganizationRow

class {name}(OrganizationRow, table=True):
    id: int | None = Field(default=None, primary_key=True)
    {columns}
"""
LOSSY = "at: datetime = Field(sa_type=DateTime)\n    amount: Decimal"
MESSAGES = """
from bpm.bus import Page, PagedQuery, View, handles
from sqlmodel import select
from strange.tables import Strange

class StrangeView(View):
    id: int

class GetStrangeListQuery(PagedQuery[Page[StrangeView]]):
    permission = None

@handles
def strange(query: GetStrangeListQuery, context: "Context") -> Page[StrangeView]:
    return query.page(context, select(Strange), Strange, StrangeView.model_validate)

from bpm.bus import Context
"""


def bpm(folder: Path, *words: str, package: str = "notes") -> str:
    """Run the command line in a process of its own, and return what it says."""
    environment = {"BPM_COMMAND_PACKAGES": package, "PYTHONPATH": ".", "BPM_DATA_DIR": "data"}
    command = [sys.executable, "-m", "bpm.cli", *words]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def write(folder: Path, path: str, source: str) -> None:
    """Write a module of a package."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    (folder / path.partition("/")[0] / "__init__.py").touch()
    file.write_text(source)


async def run(folder: Path, commands: str) -> str:
    """Run a block of commands, all of which succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euc", f"export BPM_COMMAND_PACKAGES=notes PYTHONPATH=.\n{commands}",
        cwd=folder, env={**os.environ, "PATH": path, "BPM_DATA_DIR": "data"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await shell.communicate()
    assert shell.returncode == 0, printed.decode()
    return printed.decode()


@pytest.mark.embedded
@pytest.mark.anyio
async def test_the_recipe_works_as_written(tmp_path: Path) -> None:
    """The tables are made, changed with their rows, and go with a copy; a former version of the package is refused."""
    rounds = 0
    for language, text in BLOCK.findall(PAGE.read_text()):
        if language == "python":
            write(tmp_path, text.partition("\n")[0].removeprefix("# "), text)
            continue
        await run(tmp_path, text)
        if rounds == 0:
            with closing(sqlite3.connect(tmp_path / "data" / "bpm.db")) as file:
                file.execute("INSERT INTO note (organization_id, text, created_at) VALUES (1, 'first', '2026-01-01')")
                file.commit()
        rounds += 1
    own = {"BPM_COMMAND_PACKAGES": "notes", "PYTHONPATH": str(tmp_path), "BPM_DATA_DIR": str(tmp_path / "data")}
    async with ServerProcess(**own) as server:
        await server.cmd("WriteNoteCommand", text="second")
        listed = (await server.cmd("GetNoteListQuery"))["items"]
        assert [note["text"] for note in listed] == ["second", "first"]
    assert list((tmp_path / "data").glob("before-upgrade-*")) != []
    source, target = (f"sqlite:///{tmp_path}/{name}/bpm.db" for name in ("data", "copy"))
    assert "copied" in bpm(tmp_path, "db", "copy", source, target)
    with closing(sqlite3.connect(tmp_path / "copy" / "bpm.db")) as file:
        assert file.execute("SELECT count(*) FROM note").fetchone() == (2,)
    (tmp_path / "notes" / "migrations" / "versions" / "0002_pinned.py").unlink()
    assert "the tables of notes are at revision 0002, which the installed version" in bpm(tmp_path, "db", "upgrade")


@pytest.mark.parametrize(
    ("name", "columns", "sentences"),
    [
        ("Strange", LOSSY, ("at of the table strange loses its zone", "amount of the table strange is rounded")),
        ("Strange", "word: str", ("Strange has no column created_at; give it one, or name another",)),
        ("User", "word: str", ("a table called user is there already",)),
    ],
    ids=["values that are not kept", "no moment of creation", "a name that is taken"],
)
def test_what_a_table_lacks_is_said_at_the_start(
    name: str, columns: str, sentences: tuple[str, ...], tmp_path: Path
) -> None:
    """With its place and what to do, instead of failing at the first command."""
    write(tmp_path, "strange/tables.py", TABLES.format(name=name, columns=columns))
    if "created_at" in sentences[0]:
        write(tmp_path, "strange/messages.py", MESSAGES)
    told = bpm(tmp_path, "db", "upgrade", package="strange")
    assert [sentence for sentence in sentences if sentence not in told] == [], told
    assert "Traceback" not in told


def test_a_table_that_no_migration_makes_is_named(tmp_path: Path) -> None:
    """A package with migrations has its tables made by them alone."""
    write(tmp_path, "strange/tables.py", TABLES.format(name="Strange", columns="word: str"))
    migration = 'revision = "0001"\ndown_revision = None\n\ndef upgrade():\n    pass\n'
    write(tmp_path, "strange/migrations/versions/0001_nothing.py", migration)
    assert "no migration makes the table strange" in bpm(tmp_path, "db", "upgrade", package="strange")
