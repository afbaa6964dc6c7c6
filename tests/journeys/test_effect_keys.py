"""An effect outside is tried again with the same key, whatever happened between it and its record."""

from pathlib import Path

import pytest

from bpm.testing import PreparedAnswer, ServerProcess, WebhookReceiver

pytestmark = pytest.mark.anyio

ENVIRONMENT = {"BPM_COMMAND_PACKAGES": "tests.router.probes", "PYTHONPATH": str(Path(__file__).parents[2])}


async def test_a_kill_before_the_effect_is_recorded_repeats_it_with_its_key() -> None:
    """The receiver sees the call twice, and by the key, which is the request's id, that it is one; so at a replay."""
    async with WebhookReceiver() as receiver, ServerProcess(**ENVIRONMENT) as server:
        receiver.answer(PreparedAnswer(delay=60), 500, 200)
        await server.rule("outside", commandName="CallOutCommand", parameters={"url": receiver.url})
        accepted = await server.hook("outside", {})
        await receiver.wait_for(1)
        await server.kill()
        await server.start()
        await server.login()
        await server.settled(40)
        await server.cmd("ReplayInboundRequestCommand", requestId=accepted.data["requestId"], force=True)
        calls = await receiver.wait_for(3, seconds=40)
        first, second, forced = [call.headers["idempotency-key"] for call in calls]
        assert first == second == accepted.data["requestId"]
        assert forced == f"{first}:1"
