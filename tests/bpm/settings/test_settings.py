"""Settings are taken from the environment and from keyword arguments; what is no setting is refused."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from bpm.app.foundation import build_foundation
from bpm.app.settings import load_settings, settings_type
from bpm.cli import main
from bpm.cli.exits import ExitStatus
from bpm.clock import system_clock
from bpm.errors import Misconfigured
from bpm.settings import Settings, variables

NO_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"databse_url": "sqlite:///x.db"}, "BPM_DATABSE_URL: there is no such setting; did you mean BPM_DATABASE_URL?"),
    ({"delivery": {"prob": True}}, "BPM_DELIVERY__PROB: there is no such setting; did you mean BPM_DELIVERY__PROBE?"),
    ({"acme": {"secret": "x"}}, "BPM_ACME: there is no such setting; docs/reference/settings.md lists them"),
]


@pytest.mark.parametrize(("given", "sentence"), NO_SETTINGS)
def test_what_is_no_setting_is_refused(given: dict[str, Any], sentence: str) -> None:
    """A slip of the pen would otherwise leave the default in force; the sentence names the variable."""
    with pytest.raises(Misconfigured) as refused:
        load_settings(**given)
    assert refused.value.errors == (sentence,)
    with pytest.raises(ValidationError, match="not permitted"):
        Settings(**given)


VARIABLES: list[tuple[dict[str, str], list[str]]] = [
    ({"BPM_PROT": "1"}, ["BPM_PROT: there is no such setting; did you mean BPM_PORT?"]),
    ({"bpm_prot": "1"}, ["BPM_PROT: there is no such setting; did you mean BPM_PORT?"]),
    (
        {"BPM_MONO_WEBHOOK_SECRET": "s3cr3t"},
        ["BPM_MONO_WEBHOOK_SECRET: there", "did you mean BPM_MONO__WEBHOOK_SECRET?"],
    ),
    ({"BPM_MONO__SECRT": "s3cr3t"}, ["BPM_MONO__SECRT: there", "did you mean BPM_MONO__SECRET_KEY?"]),
    (
        {"BPM_SERVICE_HOST": "10.0.0.1"},
        ["BPM_SERVICE_HOST: there is no such setting; docs/reference/settings.md lists"],
    ),
    ({"BPM_PROT": "1", "BPM_PORT": "abc"}, ["BPM_PROT: there", "BPM_PORT: Input should be a valid integer"]),
    ({"BPM_PUBLIC_URL": "foo"}, ["BPM_PUBLIC_URL: must be the address under which the server is reached"]),
    ({"BPM_TRUSTED_PROXIES": "foo"}, ["BPM_TRUSTED_PROXIES: 'foo' is not an address or a range"]),
    ({"BPM_DELIVERY__ALLOWED_NETWORKS": "10/x"}, ["BPM_DELIVERY__ALLOWED_NETWORKS: '10/x' is not an address"]),
    (
        {"BPM_DELIVERY": "foo"},
        ["BPM_DELIVERY: must be JSON; its settings can be written one by one, as BPM_DELIVERY__"],
    ),
    ({"BPM_LOG_LEVEL": "loud"}, ["BPM_LOG_LEVEL: Input should be 'debug'"]),
]


@pytest.mark.parametrize(("given", "sentences"), VARIABLES)
def test_every_sentence_names_its_variable(
    given: dict[str, str], sentences: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is wrong is said at once, and no value that may be a secret."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as refused:
        load_settings()
    said = "\n".join(refused.value.errors)
    assert [sentence for sentence in sentences if sentence not in said] == []
    assert "s3cr3t" not in said


def test_the_variables_of_the_command_line_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand in the same environment."""
    for name in ("BPM_URL", "BPM_TOKEN", "BPM_USERNAME", "BPM_PASSWORD", "BPM_SKIP_UI", "BPM_TEST_ANYTHING", "PORT"):
        monkeypatch.setenv(name, "x")
    assert load_settings().port == 8000


def test_places_that_can_not_be_used_are_told_by_their_settings(tmp_path: Path) -> None:
    """A file in the place of the data folder, and of the folder of the database."""
    (tmp_path / "file").write_text("")
    for given in ({"data_dir": tmp_path / "file"}, {"database_url": f"sqlite:///{tmp_path}/file/x.db"}):
        name = next(iter(given))
        with pytest.raises(Misconfigured, match=f"BPM_{name.upper()}: "):
            asyncio.run(start(load_settings(**{"data_dir": tmp_path / "data", **given})))


async def start(settings: Settings) -> None:
    """What a server does first."""
    database = build_foundation(settings, system_clock).database
    try:
        await database.start()
    finally:
        await database.stop()


def test_settings_are_printed_with_where_they_came_from() -> None:
    """Secrets are hidden, also inside addresses."""
    given = {
        "BPM_PORT": "8123",
        "BPM_MONO__WEBHOOK_SECRET": "s3cr3t-of-mono",
        "BPM_DATABASE_URL": "postgresql://bpm:s3cr3t-of-db@db.example.com/bpm",
    }
    printed = CliRunner().invoke(main, ["settings"], env=given)
    rows = {row["name"]: (row["value"], row["from"]) for row in map(json.loads, printed.stdout.splitlines())}
    assert rows["BPM_PORT"] == ("8123", "environment")
    assert rows["BPM_HOST"] == ("127.0.0.1", "default")
    assert rows["BPM_MONO__WEBHOOK_SECRET"] == ("***", "environment")
    assert rows["BPM_DATABASE_URL"] == ("postgresql://***@db.example.com/bpm", "environment")
    assert rows["BPM_WORKER"] == ("true", "default")
    assert "s3cr3t" not in printed.output
    wrong = CliRunner().invoke(main, ["settings"], env={"BPM_PROT": "1"})
    assert (wrong.exit_code, "did you mean BPM_PORT?" in wrong.stderr) == (ExitStatus.ERROR, True)


def test_a_commented_file_is_written_once(tmp_path: Path) -> None:
    """It names every setting, is read by its owner alone, and what is uncommented holds."""
    result = CliRunner().invoke(main, ["init", str(tmp_path)])
    file = tmp_path / "bpm.env"
    assert (result.exit_code, file.stat().st_mode & 0o777) == (0, 0o600)
    lines = file.read_text().splitlines()
    named = {line[1:].partition("=")[0] for line in lines if line.startswith("#BPM_")}
    assert named == {name for name, _ in variables(settings_type())}
    defaults = dict(line[1:].split("=", 1) for line in lines if line.startswith("#BPM_") and not line.endswith("="))
    printed = CliRunner().invoke(main, ["settings"], env=defaults)
    assert printed.exit_code == 0, printed.stderr
    again = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert (again.exit_code, "is there already" in again.stderr) == (ExitStatus.ERROR, True)


def test_a_provider_s_group_is_a_setting_of_the_whole_product_alone() -> None:
    """The platform knows no provider: only the composition root's settings have their groups."""
    assert "mono" in type(load_settings(mono={"webhook_secret": "m0no"})).model_fields
    alone: dict[str, Any] = {"mono": {"webhook_secret": "m0no"}}
    with pytest.raises(ValidationError, match="mono"):
        Settings(**alone)


@pytest.mark.parametrize("name", ["bodies_days", "rows_days", "quarantine_days", "dead_days", "audit_days"])
def test_nothing_is_kept_for_longer_than_the_calendar_reaches(tmp_path: Path, name: str) -> None:
    """A million days would lie before the first year, and nothing at all would be pruned any more."""
    with pytest.raises(Misconfigured, match=f"(?i){name}"):
        load_settings(data_dir=tmp_path, retention={name: 1_000_000})
    assert load_settings(data_dir=tmp_path, retention={name: 36_500}).retention
