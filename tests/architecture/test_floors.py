"""The tree of the product: every module stands on a named floor, and the top level holds nothing else."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = {"pyproject.toml", "README.md", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md"}
FOLDERS = {"bpm", "clients", "commands", "router", "scripts", "tests", "deploy", "docs"}


def test_every_module_of_bpm_stands_on_a_named_floor() -> None:
    """A stray `utils.py` would be on none."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["id"] == "floors")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    modules = {
        f"bpm.{path.stem}"
        for path in (ROOT / "bpm").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert modules <= named


def test_the_top_level_holds_what_the_architecture_names() -> None:
    """Everything that git tracks lies in a named folder, is a named file, or is a dotfile."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    first = {path.split("/")[0] for path in listed if path}
    assert {name for name in first if not name.startswith(".")} <= TOP | FOLDERS


def test_json_is_read_and_written_in_one_place() -> None:
    """Pydantic's own functions know doubles only: whoever used them would round amounts of money.

    The claims of tokens hold no amounts, and migrations stay as they were.
    """
    modules = [path for folder in ("bpm", "commands", "router", "scripts") for path in (ROOT / folder).rglob("*.py")]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in modules
        if "versions" not in path.parts and re.search(r"pydantic_core import .*\b(from|to)_json\b", path.read_text())
    }
    tokens = {"bpm/signatures/tokens.py", "bpm/signatures/private_keys.py"}
    assert found - tokens == {"bpm/exact_json.py", "bpm/strict_json.py"}
