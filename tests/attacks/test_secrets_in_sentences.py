"""Errors, log lines and traces of handlers repeat nothing that the message held as a secret."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.errors import Failed
from bpm.security.redaction import hidden_from_logs, redacted_text, without_secrets_of
from bpm.testing import ServerProcess
from tests.attacks.test_canaries import stored

ENVIRONMENT = {
    "BPM_COMMAND_PACKAGES": "tests.attacks.hostile_handlers",
    "BPM_LOG_LEVEL": "debug",
    "PYTHONPATH": str(Path(__file__).parents[2]),
}
SECRET = 'canary-told\\n"4711\n\u00e9'
PIECE = "canary-told"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server with handlers that tell secrets, and rules that send their message."""
    async with ServerProcess(**ENVIRONMENT) as running:
        for mode in ("sync", "async"):
            rule = {"commandName": "TellSecretCommand", "responseMode": mode, "retry": {"attempts": 1}}
            await running.rule(mode, **rule)
        yield running


@pytest.mark.parametrize("written", ["plain", "literal", "json"])
@pytest.mark.parametrize("expected", [True, False])
async def test_what_a_handler_says_is_told_without_secrets(server: ServerProcess, written: str, expected: bool) -> None:
    """In the answer, the audit log, a request's row and the log, by the command and by a rule in both modes."""
    fields = {"password": SECRET, "expected": expected, "written": written}
    answers = [await server.send("TellSecretCommand", fields)]
    answers += [await server.hook(mode, fields) for mode in ("sync", "async")]
    await server.settled()
    assert [answer.status for answer in answers] == ([422, 422, 200] if expected else [500, 500, 200])
    told = json.dumps([answer.body for answer in answers]) + "".join(map(str, (await stored(server)).values()))
    assert PIECE not in told + server.log
    assert expected or "RuntimeError" in server.log


def test_secrets_are_hidden_while_they_are_handled_only() -> None:
    """One message inside another hides both; afterwards nothing is remembered."""
    with hidden_from_logs({"password": "outer-4711"}):
        with hidden_from_logs({"a": [{"token": "inner-4711"}], "b": "plain-4711"}):
            assert redacted_text("outer-4711 inner-4711 plain-4711") == "*** *** plain-4711"
        assert redacted_text("outer-4711 inner-4711") == "*** inner-4711"
    assert redacted_text("outer-4711") == "outer-4711"


def test_a_secret_inside_another_is_hidden_whole() -> None:
    """The longest first; short ones stay, for they would hide ordinary words."""
    secrets = {"password": "abcdef", "token": "abcdefghi", "pin": "1234"}
    assert without_secrets_of(["abcdefghi abcdef 1234"], secrets) == ("*** *** 1234",)
    assert str(Failed(*without_secrets_of(["x abcdef"], {"mine": "abcdef"}, {"mine"}))) == "x ***"
