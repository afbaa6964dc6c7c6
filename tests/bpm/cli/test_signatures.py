"""`bpm sign`, `bpm verify` and `bpm explain` sign and judge by the presets, without a server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.cli.exits import ExitStatus

SECRET = "a-secret-of-the-tests"


def run(*words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    ended = CliRunner(env=env or {}).invoke(main, list(words))
    return ended.exit_code, ended.output


@pytest.mark.parametrize("preset", ["stripe", "aws-sns", "slack", "basic"])
def test_the_example_of_a_preset_is_signed_and_verified(preset: str) -> None:
    """Without anything given a command takes the preset's example."""
    assert run("verify", preset)[0] == ExitStatus.DONE
    code, output = run("sign", preset, "--format", "json")
    assert code == ExitStatus.DONE
    assert json.loads(output)["headers"] or preset == "aws-sns"


def test_what_is_signed_is_verified(tmp_path: Path) -> None:
    """A body from a file, a secret from the environment; another body is refused with its cause."""
    body, other = tmp_path / "body", tmp_path / "other"
    body.write_bytes(b'{"id":1}')
    other.write_bytes(b'{"id":2}')
    env = {"HOOK_SECRET": SECRET}
    _, output = run("sign", "github", "--secret", "env:HOOK_SECRET", "--body", str(body), "--format", "json", env=env)
    ((name, value),) = json.loads(output)["headers"].items()
    given = ("github", "--secret", SECRET, "-H", f"{name}: {value}")
    assert run("verify", *given, "-b", str(body))[0] == ExitStatus.DONE
    code, output = run("verify", *given, "-b", str(other))
    assert (code, "does not match" in output) == (ExitStatus.REFUSED, True)
    code, output = run("explain", *given, "-b", str(other), "--format", "json")
    assert (code, json.loads(output)["failed"]) == (ExitStatus.REFUSED, "signature")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("verify", "strpe"), "do you mean stripe?"),
        (("sign", "github", "--secret", "short"), "at least 8 characters"),
        (("sign", "github", "colour=red"), "Extra inputs"),
        (("verify", "github", "-H", "no colon"), "write 'Name: value'"),
        (("verify", "github", "-b", "/nowhere/at/all"), "can't be read"),
    ],
)
def test_what_can_not_be_done_is_said(words: tuple[str, ...], says: str) -> None:
    """A slip is one sentence and an exit status, not a trace."""
    code, output = run(*words)
    assert code == ExitStatus.USAGE
    assert says in output


@pytest.mark.parametrize(
    "words",
    [("sign", "aws-sns", "--private-key"), ("verify", "aws-sns", "--published"), ("sign", "github", "--secret")],
)
def test_a_key_that_is_no_text_is_wrong_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    """A key in another form than PEM is told, and no trace."""
    file = tmp_path / "key"
    file.write_bytes(b"\xed\x80\x00")
    code, output = run(*words, f"file:{file}" if words[-1] == "--secret" else str(file))
    assert (code, "is no text in UTF-8" in output) == (ExitStatus.USAGE, True), output
