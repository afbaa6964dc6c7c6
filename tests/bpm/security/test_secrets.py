"""Keys and secrets at rest."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from bpm.security.secrets import (
    KEY_FILE,
    SecretBox,
    SecretError,
    derive_key,
    load_secret_key,
)
from bpm.settings import Settings

KEY = b"a key of thirty-two bytes or more"


@pytest.mark.parametrize("text", ["whsec_123", "naïve ☃", "x" * 100_000])
def test_a_box_gives_back_what_it_was_given(text: str) -> None:
    """What is sealed is opened again unchanged and is not to be read in between."""
    sealed = SecretBox(KEY).encrypt(text)
    assert SecretBox(KEY).decrypt(sealed) == text
    assert text not in sealed


def test_the_empty_text_is_sealed_too() -> None:
    """Nothing is sealed as something, so that nobody sees that a secret is empty."""
    box = SecretBox(KEY)
    sealed = box.encrypt("")
    assert len(sealed) > 20
    assert box.decrypt(sealed) == ""
    assert box.encrypt("") != sealed


def test_the_same_text_is_never_sealed_alike() -> None:
    """Two seals of one text differ, so that equal secrets can't be seen in the database."""
    box = SecretBox(KEY)
    assert box.encrypt("same") != box.encrypt("same")


def test_every_changed_character_is_noticed() -> None:
    """A sealed text with any one character changed is refused."""
    box = SecretBox(KEY)
    sealed = box.encrypt("8letters")  # 36 bytes, so that every bit of the base64 text counts
    for place, character in enumerate(sealed):
        changed = sealed[:place] + ("A" if character != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(SecretError):
            box.decrypt(changed)


@pytest.mark.parametrize("kept", [0, 3, 12, 20, 30])
def test_a_cut_seal_is_refused(kept: int) -> None:
    """A sealed text that was cut off is refused with a sentence, not a crash."""
    box = SecretBox(KEY)
    with pytest.raises(SecretError):
        box.decrypt(box.encrypt("secret")[:kept])


def test_another_key_says_what_to_restore() -> None:
    """Opening with another key names the setting and the file to restore."""
    sealed = SecretBox(KEY).encrypt("secret")
    with pytest.raises(SecretError, match=r"BPM_SECRET_KEY.*secret\.key"):
        SecretBox(b"another key of thirty-two bytes..").decrypt(sealed)


def test_sub_keys_differ_by_purpose() -> None:
    """Each purpose has a key of its own, the same each time, and none is the installation's key."""
    keys = {derive_key(KEY, "signing"), derive_key(KEY, "encryption"), KEY}
    assert len(keys) == 3
    assert derive_key(KEY, "signing") == derive_key(KEY, "signing")


def test_a_configured_key_is_used_and_no_file_is_written(tmp_path: Path) -> None:
    """With BPM_SECRET_KEY set that text is the key and the data folder stays empty."""
    settings = Settings(data_dir=tmp_path, secret_key=SecretStr("k" * 32))
    assert load_secret_key(settings) == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    """A configured key under 32 characters is refused, and the sentence does not repeat it."""
    with pytest.raises(SecretError, match="BPM_SECRET_KEY must hold at least 32") as caught:
        load_secret_key(Settings(data_dir=tmp_path, secret_key=SecretStr("hunter2")))
    assert "hunter2" not in str(caught.value)


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The first start writes a key with mode 0600, also into a new folder, and later starts read it."""
    settings = Settings(data_dir=tmp_path / "new" / "data")
    key = load_secret_key(settings)
    file = settings.data_dir / KEY_FILE
    assert load_secret_key(settings) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in settings.data_dir.iterdir()] == [KEY_FILE]


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    """Several processes on an empty folder end up with the same key."""
    program = (
        "from pathlib import Path; from bpm.settings import Settings\n"
        "from bpm.security.secrets import load_secret_key\n"
        f"print(load_secret_key(Settings(data_dir=Path({str(tmp_path)!r}))).decode())"
    )
    starts = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({start.communicate(timeout=120)[0] for start in starts}) == 1
    assert all(start.returncode == 0 for start in starts)


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_a_broken_key_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    """An empty, short or binary key file is reported by name and never overwritten."""
    file = tmp_path / KEY_FILE
    file.write_bytes(content)
    with pytest.raises(SecretError, match=KEY_FILE):
        load_secret_key(Settings(data_dir=tmp_path))
    assert file.read_bytes() == content
