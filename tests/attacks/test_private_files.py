"""What lies on the disk is readable by the server's own account only, whatever the umask says."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpm.testing import running_app

pytestmark = pytest.mark.embedded


@pytest.fixture
def generous() -> Iterator[None]:
    """Let new files be readable by everybody."""
    former = os.umask(0)
    yield
    os.umask(former)


def modes(folder: Path) -> dict[str, int]:
    found = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in found}


@pytest.mark.usefixtures("generous")
async def test_new_files_are_private(tmp_path: Path) -> None:
    """Database, log files of it, key and lock are made for their owner, and so is the folder."""
    async with running_app(tmp_path / "a" / "data"):
        found = modes(tmp_path / "a" / "data")
    assert {"bpm.db", "bpm.db-wal", "bpm.db-shm", "secret.key"} <= found.keys()
    assert not [name for name, mode in found.items() if mode & 0o077]


@pytest.mark.usefixtures("generous")
async def test_open_files_are_closed(tmp_path: Path) -> None:
    """A folder and files that others could read are closed to them at the next start."""
    data = tmp_path / "data"
    async with running_app(data):
        pass
    data.chmod(0o755)
    for path in data.iterdir():
        path.chmod(0o644)
    async with running_app(data):
        assert not [name for name, mode in modes(data).items() if mode & 0o077]


@pytest.mark.usefixtures("generous")
async def test_a_database_elsewhere_is_private_in_a_folder_of_everybody(tmp_path: Path) -> None:
    """A shared folder such as `/tmp` is left as it is; the file in it is private by itself."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    async with running_app(tmp_path / "data", database_url=f"sqlite:///{shared / 'bpm.db'}"):
        found = modes(shared)
    assert found.pop(".") == 0o1777
    assert not [name for name, mode in found.items() if mode & 0o077]
