"""What one answer costs does not grow with what else an instance waits for: counted, not timed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.security import redaction
from bpm.testing import RunningApp, running_app
from tests.commands.playing import deploy, start

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


def fork(branches: int) -> str:
    """A process whose branches wait for people and then for one another."""
    names = [f"t{number}" for number in range(branches)]
    lines = ["start s; and f; and j; end e", "; ".join(f"user {name}" for name in names), "s -> f; j -> e"]
    return "\n".join(lines + [f"f -> {name} -> j" for name in names])


@pytest.mark.parametrize("branches", [40, 200])
async def test_an_answer_looks_for_secrets_in_what_came_alone(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch, branches: int
) -> None:
    """The waits of the other branches hold nothing that somebody brought."""
    await deploy(app, fork(branches))
    begun = await start(app, amount=7)
    looked_at = 0
    is_secret_field = redaction._is_secret_field  # pyright: ignore[reportPrivateUsage]

    def counted(name: object, value: object, secrets: frozenset[str]) -> bool:
        nonlocal looked_at
        looked_at += 1
        return is_secret_field(name, value, secrets)

    task = begun["currentTasks"][0]
    monkeypatch.setattr(redaction, "_is_secret_field", counted)
    await app.cmd("CompleteUserTaskCommand", instanceId=begun["instanceId"], waitId=task["waitId"], variables={})
    assert looked_at < 30
