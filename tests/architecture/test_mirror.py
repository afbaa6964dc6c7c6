"""Tests stand where their subject stands: `tests/` has the folders of the product."""

from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PACKAGES = ("bpm", "commands", "router", "scripts")

APART = {"bpm/bpmn/conformance"}
"""Folders of cases, beside the tests of what they are played on."""


def files_of(package: str) -> Iterator[Path]:
    """The files of tests below a package's folder, relative to `tests/`."""
    yield from (path.relative_to(TESTS) for path in sorted((TESTS / package).rglob("test_*.py")))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_tests_is_one_of_the_product(package: str) -> None:
    """Whoever looks for the tests of a folder finds them under the same path."""
    folders = {test.parent.as_posix() for test in files_of(package)} - APART
    assert {folder for folder in folders if not (ROOT / folder).is_dir()} == set()


@pytest.mark.parametrize("package", ["bpm", "commands"])
def test_a_test_outside_the_folders_names_a_module(package: str) -> None:
    """These two packages consist of folders: what stands outside them is about a module that stands there, too."""
    outside = [test for test in files_of(package) if test.parent == Path(package)]
    modules = [ROOT / test.parent / test.name.removeprefix("test_") for test in outside]
    assert [module for module in modules if not module.exists()] == []
