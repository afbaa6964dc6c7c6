"""How an application's packages are found, and how a faulty one is reported."""

import sys
from pathlib import Path

import pytest

from bpm.app import application_packages, build_registry
from bpm.errors import Misconfigured
from bpm.settings import Settings

FAULTS = {
    "import nowhere_at_all": "No module named 'nowhere_at_all'",
    "1 / 0": "ZeroDivisionError",
    "def (": "SyntaxError",
}


def install(folder: Path, package: str) -> None:
    """Lay down what an installer leaves of a package with an entry point."""
    metadata = folder / "shop-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[bpm.commands]\nshop = {package}\n")


def test_a_package_of_the_settings_is_found(tmp_path: Path) -> None:
    """BPM_COMMAND_PACKAGES names packages that can be imported."""
    assert build_registry(Settings(data_dir=tmp_path, command_packages=("orders",))).knows("PlaceOrderCommand")


def test_an_installed_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group bpm.commands needs no setting; without it the package is unknown."""
    assert not build_registry(Settings(data_dir=tmp_path)).knows("PlaceOrderCommand")
    install(tmp_path, "orders")
    monkeypatch.syspath_prepend(tmp_path)
    assert build_registry(Settings(data_dir=tmp_path)).knows("PlaceOrderCommand")


def test_a_package_found_in_both_ways_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package may be named in the settings too."""
    install(tmp_path, "orders")
    monkeypatch.syspath_prepend(tmp_path)
    settings = Settings(data_dir=tmp_path, command_packages=("orders",))
    assert application_packages(settings) == ["orders"]
    assert build_registry(settings).knows("PlaceOrderCommand")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_package_is_reported_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Whatever is wrong with a package, the start ends with its name and the reason."""
    (tmp_path / "broken_shop.py").write_text(fault + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Misconfigured, match="'broken_shop' can't be imported") as caught:
        build_registry(Settings(data_dir=tmp_path, command_packages=("broken_shop",)))
    assert FAULTS[fault] in str(caught.value)
    assert "broken_shop" not in sys.modules
