"""References to the server's variables and files: what they name, and whom they are refused."""

import os
from pathlib import Path

import pytest

from bpm.security.references import FOREIGN, References
from bpm.security.secrets import SecretError
from bpm.settings import ReferenceSettings


def resolve(reference: str, folder: Path | None = None, variables: str = "*", organization_id: int = 1) -> str:
    return References(ReferenceSettings(folder=folder, variables=variables)).resolver(organization_id)(reference)


def test_a_reference_names_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """`env:NAME` is the variable's value."""
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    assert resolve("env:SHOP_SECRET") == "s3cret"
    assert resolve("env:SHOP_SECRET", variables="PAY_KEY, SHOP_*") == "s3cret"


def test_a_reference_names_a_file(tmp_path: Path) -> None:
    """`file:PATH` is the text of a file below the folder, without the line's end."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "secret").write_text("s3cret\n")
    for name in ("shop/secret", "./shop/secret", f"{tmp_path}/shop/secret"):
        assert resolve(f"file:{name}", tmp_path) == "s3cret"


@pytest.mark.parametrize("text", ["whsec_abc:def", "s3cret", "", "environment:NAME", ":x"])
@pytest.mark.parametrize("organization_id", [1, 2])
def test_any_other_text_is_the_secret_itself(text: str, organization_id: int) -> None:
    """A text that is no reference is taken as it is."""
    assert resolve(text, organization_id=organization_id) == text


def test_a_missing_variable_is_named() -> None:
    """A variable that is not set is refused by name."""
    with pytest.raises(SecretError, match="'NO_SUCH_VARIABLE' is not set"):
        resolve("env:NO_SUCH_VARIABLE")


@pytest.mark.parametrize(
    ("name", "variables"),
    [("BPM_ADMIN_PASSWORD", "*"), ("BPM_SECRET_KEY", "BPM_*"), ("bpm_x", "*"), ("HOME", "SHOP_*"), ("HOME", "")],
)
def test_only_listed_variables_are_read(name: str, variables: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own settings and what is not listed is refused in one sentence, set or not."""
    said: set[str] = set()
    for value in ("x", None):
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        with pytest.raises(SecretError) as refused:
            resolve(f"env:{name}", variables=variables)
        said.add(str(refused.value))
    assert len(said) == 1


def test_no_file_is_read_outside_the_folder(tmp_path: Path) -> None:
    """Other places, ways up, links that lead away, pipes, devices, folders, no short text: one sentence."""
    folder, outside = tmp_path / "secrets", tmp_path / "outside"
    folder.mkdir()
    outside.write_text("outside")
    (folder / "link").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    (folder / "inside").write_text("inside")
    (folder / "absolute").symlink_to(folder / "inside")
    (folder / "around").symlink_to("../secrets/inside")
    (folder / "itself").symlink_to("itself")
    (folder / "round").symlink_to("round/round")
    (folder / "through").symlink_to("link")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "long").write_bytes(b"x" * 70_000)
    os.mkfifo(folder / "pipe")
    names = [
        "../outside",
        str(outside),
        "link",
        "up/outside",
        "absolute",
        "around",
        "itself",
        "round",
        "through",
        "binary",
        "long",
        "pipe",
        "",
        ".",
        "nul\0",
    ]
    absolute = ["/etc/passwd", "/etc/nope", "/proc/self/environ", "/dev/zero", f"{folder}/../outside", f"/{outside}"]
    said: set[str] = set()
    for name in [*names, *absolute, "missing", f"{folder}-not", "inside/x", "x" * 5_000]:
        with pytest.raises(SecretError) as refused:
            resolve(f"file:{name}", folder)
        said.add(str(refused.value))
    assert len(said) == 1
    assert not any(word in str(said) for word in ("outside", "passwd", str(tmp_path)))


def test_links_count_that_lead_on_below(tmp_path: Path) -> None:
    """As Kubernetes mounts secrets: each file is a link through a folder that is a link."""
    (tmp_path / "..2027").mkdir()
    (tmp_path / "..2027" / "shop").write_text("s3cret")
    (tmp_path / "..data").symlink_to("..2027")
    (tmp_path / "shop").symlink_to("..data/shop")
    assert resolve("file:shop", tmp_path) == "s3cret"


@pytest.mark.parametrize("text", ["", " ", "\t \u3000"])
def test_a_variable_that_holds_nothing_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of blanks would let everybody in, as an empty one would."""
    monkeypatch.setenv("SHOP_EMPTY", text)
    with pytest.raises(SecretError, match="'SHOP_EMPTY' is not set"):
        resolve("env:SHOP_EMPTY")


@pytest.mark.parametrize("text", ["\n", " ", " \r\n", "\t \u3000\n"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    """An empty secret would let everybody in."""
    (tmp_path / "empty").write_text(text)
    with pytest.raises(SecretError, match="is empty"):
        resolve("file:empty", tmp_path)


def test_without_a_folder_no_file_is_read() -> None:
    """Nothing is read before the installation has said where secrets are."""
    with pytest.raises(SecretError, match="BPM_REFERENCES__FOLDER"):
        resolve("file:/etc/passwd")


def test_another_organisation_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it names, set or not, there or not, is refused in the same sentence."""
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    (tmp_path / "secret").write_text("s3cret")
    for reference in ("env:SHOP_SECRET", "env:NOPE", "file:secret", "file:/nope"):
        with pytest.raises(SecretError, match=FOREIGN):
            resolve(reference, tmp_path, organization_id=2)
