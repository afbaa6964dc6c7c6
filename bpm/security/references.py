"""Secrets that are kept outside the database: `env:NAME` is a variable of the server, `file:PATH` a file of it.

Whoever names one makes the server read what is the installation's, so this is the one place that reads: for rules of
the installation only, and of its files only those below the folder that the settings name.
"""

import os
import stat
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Protocol

from bpm.security.permissions import INSTALLATION, Permission, Principal
from bpm.security.secrets import SecretError

REFER: Permission = "system:write"
"""To name a variable or file of the server; nobody of another organisation ever holds it."""

FOREIGN = "env: and file: name what is the installation's; enter the secret itself"
MAX_FILE_BYTES = 64 * 1024
OWN_VARIABLES = "BPM_*"
"""The server's own settings, its key and passwords among them, which no rule needs."""

Resolve = Callable[[str], str]
"""Returns the secret that a reference names, and any other text as it is; raises `SecretError`."""


class ReferenceLimits(Protocol):
    """What the settings say about references."""

    @property
    def variables(self) -> str:
        """The names of the variables, between commas; `*` stands for any characters."""
        ...

    @property
    def folder(self) -> Path | None:
        """The folder of the files."""
        ...


class References:
    """Reads what references name, for those who may have it."""

    def __init__(self, settings: ReferenceLimits) -> None:
        """Take which variables and which folder may be read."""
        self._variables = [name.strip() for name in settings.variables.split(",") if name.strip()]
        self._folder = settings.folder.absolute() if settings.folder is not None else None

    def resolver(self, organization_id: int) -> Resolve:
        """Return what reads the references of an organisation's rules, drafts and trials."""
        return self._resolve if organization_id == INSTALLATION else _refuse

    def _resolve(self, secret: str) -> str:
        kind, _, name = secret.partition(":")
        if not is_reference(secret):
            return secret
        return self._variable(name) if kind == "env" else self._file(name)

    def _variable(self, name: str) -> str:
        is_listed = any(fnmatchcase(name, listed) for listed in self._variables)
        if not is_listed or fnmatchcase(name.upper(), OWN_VARIABLES):
            raise SecretError("this variable may not be referred to; BPM_REFERENCES__VARIABLES names those that may")
        value = os.environ.get(name)
        if not (value and value.strip()):
            raise SecretError(f"the environment variable {name!r} is not set; set it where the server starts")
        return value

    def _file(self, name: str) -> str:
        if self._folder is None:
            raise SecretError("no file may be referred to; set BPM_REFERENCES__FOLDER to the folder of the secrets")
        try:
            text = _read(self._folder, _below(self._folder, name)).decode().rstrip("\r\n")
        except (OSError, ValueError):
            raise SecretError(
                f"file: names no text of at most {MAX_FILE_BYTES} bytes below BPM_REFERENCES__FOLDER; "
                "links are not followed"
            ) from None
        if not text.strip():
            raise SecretError("the secret file is empty; write the secret into it")
        return text


def is_reference(secret: str) -> bool:
    """Tell whether a secret only says where the secret is."""
    return secret.startswith(("env:", "file:"))


def may_refer(principal: Principal) -> bool:
    """Tell whether somebody may name a variable or file of the server."""
    return principal.organization_id == INSTALLATION and principal.allows(REFER)


def _refuse(secret: str) -> str:
    if is_reference(secret):
        raise SecretError(FOREIGN)
    return secret


def _below(folder: Path, name: str) -> tuple[str, ...]:
    """Return the parts of a path below the folder; raises `ValueError` for one that leads elsewhere."""
    path = PurePosixPath(name)
    parts = path.relative_to(folder).parts if path.is_absolute() else path.parts
    if not parts or ".." in parts:
        raise ValueError("it does not lie below the folder")
    return parts


def _read(folder: Path, parts: tuple[str, ...]) -> bytes:
    """Read a regular file, going down part by part so that no link can lead away on the way."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for part in parts[:-1]:
        place = _step(place, part, os.O_DIRECTORY)
    # without O_NONBLOCK a named pipe that nobody writes to would stop the server
    with os.fdopen(_step(place, parts[-1], os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OSError("it is too long")
    return content


def _step(place: int, name: str, flags: int) -> int:
    """Open what lies in an open folder, and close the folder."""
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=place)
    finally:
        os.close(place)
