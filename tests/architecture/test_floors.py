"""The tree of the product: every module stands on a named floor, and the top level holds nothing else."""

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = {"pyproject.toml", "README.md", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md"}
FOLDERS = {"bpm", "commands", "router", "scripts", "tests", "docs"}


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
