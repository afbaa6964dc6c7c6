"""Secrets at rest: one key for the installation, a sub-key for each purpose, a box for what is stored.

The sub-keys come from HKDF (RFC 5869), so a leaked one tells nothing about the others; the box is AES-256-GCM
(NIST SP 800-38D) with a random nonce.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from bpm.security.durable_files import sync
from bpm.security.nonces import Nonces
from bpm.security.private_files import make_private_file

KEY_FILE = "secret.key"
ACCEPTED_KEY_FILE = "accepted.key"
MIN_KEY_CHARACTERS = 32
NONCE_BYTES = 12
VERSION = "v1"
_SEALED_BYTES = re.compile(rb"v\d+\.[0-9a-f]{8}\.")
_NONCES = Nonces(NONCE_BYTES)
DAMAGED = "the stored secret was changed or cut off; enter it again"


class SecretError(ValueError):
    """A secret or a key is missing, unreadable or too short; the sentence says what to do."""


class KeySettings(Protocol):
    """What `load_secret_key` asks of the settings."""

    @property
    def secret_key(self) -> SecretStr | None:
        """The key as configured, or None."""
        ...

    @property
    def accepted_secret_key(self) -> SecretStr | None:
        """The key that is accepted beside it, as configured, or None."""
        ...

    @property
    def data_dir(self) -> Path:
        """The folder in which generated keys are kept."""
        ...


class SecretBox:
    """Encrypts short texts for the database: `v1.<key id>.<base64url of nonce and ciphertext>`.

    While the installation's key is changed a second one is accepted: what it has sealed is opened, and what it has
    made a fingerprint of is known again.
    """

    def __init__(self, key: bytes, accepted: bytes | None = None) -> None:
        """Take the installation's key, and the one that is accepted beside it; the box derives its own."""
        own = derive_key(key, "encryption")
        self._fingerprint_key = derive_key(key, "fingerprints")
        self._cipher = AESGCM(own)
        self.prefix = f"{VERSION}.{key_id(own)}."
        """How everything begins that the installation's key has sealed."""
        self._header = self.prefix.encode()
        self._accepted = SecretBox(accepted) if accepted is not None else None

    def encrypt(self, text: str) -> str:
        """Return `text` sealed; the same text gives another result each time."""
        return f"{self.prefix}{base64.urlsafe_b64encode(self._sealed(text.encode())).decode()}"

    def decrypt(self, sealed: str) -> str:
        """Return what was sealed; raises `SecretError` for another key's, a changed or a foreign text."""
        if not sealed.startswith(self.prefix):
            if self._accepted is not None and sealed.startswith(self._accepted.prefix):
                return self._accepted.decrypt(sealed)
            raise SecretError(self._foreign(sealed))
        try:
            return self._open(base64.urlsafe_b64decode(sealed.removeprefix(self.prefix))).decode()
        except (binascii.Error, ValueError) as error:
            raise SecretError(DAMAGED) from error

    def encrypt_bytes(self, data: bytes) -> bytes:
        """Return bytes sealed, without the base64 of a text."""
        return self._header + self._sealed(data)

    def decrypt_bytes(self, sealed: bytes) -> bytes:
        """Return what `encrypt_bytes` sealed; raises `SecretError`."""
        if not sealed.startswith(self._header):
            if self._accepted is not None and sealed.startswith(self._accepted._header):
                return self._accepted.decrypt_bytes(sealed)
            raise SecretError(self._foreign(sealed[:50].decode("latin-1")))
        return self._open(sealed[len(self._header) :])

    def _sealed(self, data: bytes) -> bytes:
        nonce = _NONCES.next()
        return nonce + self._cipher.encrypt(nonce, data, self._header)

    def _open(self, data: bytes) -> bytes:
        try:
            return self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], self._header)
        except (InvalidTag, ValueError) as error:
            raise SecretError(DAMAGED) from error

    def fingerprint(self, text: str) -> str:
        """Return by what a text is known again; without the key nobody can try out what it may have been."""
        return hmac.digest(self._fingerprint_key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def fingerprints(self, text: str) -> tuple[str, ...]:
        """Return every form in which the fingerprint of a text may have been kept, today's first."""
        own = self.fingerprint(text)
        return (own,) if self._accepted is None else (own, self._accepted.fingerprint(text))

    def _foreign(self, sealed: str) -> str:
        if sealed.startswith(f"{VERSION}."):
            return (
                "the stored secret was sealed with another key; "
                f"restore the former BPM_SECRET_KEY (or {KEY_FILE} in the data folder), or enter the secret again"
            )
        return f"the stored secret is not in a form this version reads ({VERSION})"


def is_sealed_bytes(data: bytes) -> bool:
    """Tell whether bytes look like what `SecretBox.encrypt_bytes` returns, by whatever key."""
    return bool(_SEALED_BYTES.match(data))


def derive_key(key: bytes, purpose: str) -> bytes:
    """Return the 256-bit sub-key of `key` for one purpose, such as `signing`."""
    return HKDF(SHA256(), length=32, salt=None, info=f"bpm-bus/{purpose}".encode()).derive(key)


def key_id(key: bytes) -> str:
    """Return a short public name of a key, by which two keys are told apart."""
    return hashlib.sha256(b"key id" + key).hexdigest()[:8]


def load_secret_key(settings: KeySettings) -> bytes:
    """Return the installation's key: the configured one, else the one in the data folder, made on first start.

    Raises `SecretError` for a key that is too short or can't be read.
    """
    if settings.secret_key is not None:
        return _decode_key(settings.secret_key.get_secret_value(), "BPM_SECRET_KEY")
    path = settings.data_dir / KEY_FILE
    try:
        if not path.exists():
            _create(path)
        make_private_file(path)
        return _decode_key(path.read_text(encoding="utf-8").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"the key file {path} can't be used: {error}; mend it or set BPM_SECRET_KEY") from error


def load_accepted_key(settings: KeySettings) -> bytes | None:
    """Return the key that is accepted beside the installation's: the configured one, else the data folder's, or None.

    Raises `SecretError` for a key that is too short or can't be read.
    """
    if settings.accepted_secret_key is not None:
        return _decode_key(settings.accepted_secret_key.get_secret_value(), "BPM_ACCEPTED_SECRET_KEY")
    path = settings.data_dir / ACCEPTED_KEY_FILE
    try:
        if settings.secret_key is not None or not path.exists():
            return None
        make_private_file(path)
        return _decode_key(path.read_text(encoding="utf-8").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"the key file {path} can't be used: {error}") from error


def replace_key_file(folder: Path) -> None:
    """Put a new key into a data folder's file; the former one becomes the accepted one. Safe to be broken off.

    Raises `SecretError` where another former key is still accepted.
    """
    present, accepted = folder / KEY_FILE, folder / ACCEPTED_KEY_FILE
    try:
        if not accepted.exists():
            accepted.hardlink_to(present)
            sync(folder)
        elif accepted.read_bytes() != present.read_bytes():
            raise SecretError(f"{accepted} holds a former key already; finish with that one, and remove the file")
        draft = folder / f"{KEY_FILE}.{secrets.token_hex(8)}"
        _write_durably(draft, secrets.token_urlsafe(32) + "\n")
        draft.replace(present)
        sync(folder)
    except OSError as error:
        raise SecretError(f"the key in {folder} can't be replaced: {error}") from error


def _decode_key(text: str, place: str) -> bytes:
    if len(text) < MIN_KEY_CHARACTERS:
        raise SecretError(
            f"{place} must hold at least {MIN_KEY_CHARACTERS} characters; "
            'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return text.encode()


def _create(path: Path) -> None:
    """Write a new key so that it appears whole or not at all, whichever of several processes comes first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{KEY_FILE}.{secrets.token_hex(8)}")
    try:
        _write_durably(draft, secrets.token_urlsafe(32) + "\n")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)  # what is sealed with a lost key is lost too


def _write_durably(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
