"""The long walks: a year of an operator, and rules that are kept as files."""

from pathlib import Path

import pytest

from bpm.testing import ServerProcess
from bpm.testing.process import free_port
from tests.architecture.pages import DOCS, blocks, run, walk

pytestmark = pytest.mark.anyio


async def test_rules_as_files_work_as_written(tmp_path: Path) -> None:
    """Against a server that does not look for the receivers of the page."""
    async with ServerProcess(BPM_DELIVERY__PROBE="off") as server:
        await walk(DOCS / "how-to" / "keep-rules-as-files.md", server, tmp_path)


@pytest.mark.embedded
@pytest.mark.timeout(900)
async def test_a_year_of_an_operator_works_as_written(tmp_path: Path) -> None:
    """Back up, lose the machine, restore, upgrade and compact, in the order of the page."""
    port = free_port()
    commands = "".join(text for _, text in blocks(DOCS / "how-to" / "run-for-years.md", "sh"))
    script = "trap 'jobs -p | xargs --no-run-if-empty kill -9' EXIT\n" + commands.replace("8000", str(port))
    printed = await run(script, f"http://127.0.0.1:{port}", tmp_path, {})
    assert "restored" in printed
    assert "MB now" in printed
    assert (tmp_path / "backups" / "monday" / "manifest.json").exists()
