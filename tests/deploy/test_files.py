"""The files of `deploy/`: they can be read, and what they set and call exists."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from bpm.cli import main

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SETTING = re.compile(r"\bBPM_[A-Z_]+")
UNITS = sorted((DEPLOY / "systemd").iterdir())
RUN = re.compile(r"/opt/bpm/bin/bpm ([a-z ]+)")


def containers(found: Any) -> Iterator[dict[str, Any]]:
    """Yield the containers of a manifest, or the services of a compose file that run the product."""
    for document in found:
        if "services" in document:
            yield from (service for name, service in document["services"].items() if name != "database")
        elif document["kind"] == "Deployment":
            yield from document["spec"]["template"]["spec"]["containers"]


def exists(words: list[str]) -> bool:
    """Whether these words are a command, with options that it has."""
    command: Any = get_command(main)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return not hasattr(command, "commands") and {word for word in words if word.startswith("--")} <= options


def test_every_setting_that_a_file_names_exists() -> None:
    """A variable that nobody reads would be an error at the start, on the day of the first deployment."""
    known = set(SETTING.findall((ROOT / "docs" / "reference" / "settings.md").read_text()))
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".json"]
    assert {
        (path.name, name) for path in files for name in SETTING.findall(path.read_text()) if name not in known
    } == set()


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes/bpm.yaml"])
def test_containers_run_commands_that_exist_and_write_nowhere_but_where_they_may(name: str) -> None:
    """Servers without a worker, workers beside them; a root that is read-only, no capability, no further privilege."""
    found = list(containers(yaml.safe_load_all((DEPLOY / name).read_text())))
    words = [container.get("command") or container["args"] for container in found]
    assert words == [["serve", "--no-worker"], ["worker"]]
    assert all(exists(list(each)) for each in words)
    for container in found:
        rights = container.get("securityContext", container)
        assert rights.get("readOnlyRootFilesystem", rights.get("read_only")) is True
        assert rights.get("capabilities", {}).get("drop", rights.get("cap_drop")) == ["ALL"]


def test_the_image_has_two_stages_and_no_root() -> None:
    """What builds is left behind; the product belongs to root and is run by somebody else."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM ") for line in lines) == 2
    assert "USER 10001:10001" in lines
    assert lines.index("USER 10001:10001") > lines.index("COPY --from=build /opt/bpm /opt/bpm")
    (command,) = [json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD ")]
    assert exists(command)
    named = re.findall(r"COPY (?!--from)(\S+)|--requirement (\S+)", "\n".join(lines))
    assert all((ROOT / (path or lock)).exists() for path, lock in named)


def test_the_units_call_commands_that_exist() -> None:
    """And the timer starts the unit that has its name."""
    called = [words.split() for unit in UNITS for words in RUN.findall(unit.read_text())]
    assert called
    assert all(exists(words) for words in called)
    assert {unit.stem for unit in UNITS if unit.suffix == ".timer"} <= {
        unit.stem for unit in UNITS if unit.suffix == ".service"
    }


def test_systemd_understands_the_units() -> None:
    """Its own tool reads them, and knows every directive."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed (apt-get install systemd)")
    command = [tool, "verify", *map(str, UNITS)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
