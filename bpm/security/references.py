"""Secrets that are kept outside the database: `env:NAME` is a variable of the server, `file:PATH` a file of it.

Whoever names one makes the server read what is the installation's, so this is the one place that reads: for rules of
the installation only, and of its files only those below the folder that the settings name.
"""

import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Protocol

from bpm.security.files_below import parts_below, read_below
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
            content = read_below(self._folder, _below(self._folder, name), MAX_FILE_BYTES)
            text = content.decode().rstrip("\r\n")
        except (OSError, ValueError):
            raise SecretError(
                f"file: names no text of at most {MAX_FILE_BYTES} bytes below BPM_REFERENCES__FOLDER; "
                "links count that lead on below their own folder"
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
    return parts_below(path.relative_to(folder) if path.is_absolute() else path)
