"""What a backup says about itself: `manifest.json` beside its file."""

import hashlib
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from bpm.errors import Misconfigured
from bpm.security.durable_files import sync

NAME = "manifest.json"
CHUNK = 1024 * 1024


class Manifest(BaseModel):
    """Which data a backup holds, and how to see that it is whole. The secret key is named and never held."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    format: Literal[1] = 1
    version: str
    """The version of the product that took it."""
    taken_at: datetime
    """Everything that was acknowledged before this moment is in it."""
    database: Literal["sqlite", "postgresql"]
    revision: str
    """The migration at which the data stands."""
    key_id: str | None
    """By which the secret key is known that sealed the data; None before the first start of a server."""
    file: str
    bytes: int
    sha256: str
    rows: dict[str, int]
    """How many rows each table has."""

    @classmethod
    def of(cls, file: Path, **facts: object) -> Self:
        """Describe a file that is complete."""
        about = {"file": file.name, "bytes": file.stat().st_size, "sha256": checksum(file)}
        return cls.model_validate({"version": version("bpm-bus"), **about, **facts})

    def write(self, folder: Path) -> None:
        """Write the manifest so that it is there whole or not at all."""
        draft = folder / f"{NAME}.draft"
        draft.write_text(self.model_dump_json(indent=2, by_alias=True) + "\n")
        sync(draft)
        draft.replace(folder / NAME)
        sync(folder)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup whose file is as it was; raises `Misconfigured`."""
    try:
        manifest = Manifest.model_validate_json((folder / NAME).read_bytes())
    except FileNotFoundError:
        raise Misconfigured(
            f"{folder} is no backup: it has no {NAME}, which is written last; name a folder of `bpm db backup`"
        ) from None
    except ValidationError:
        raise Misconfigured(
            f"{folder / NAME} can't be read by this version; use the one that took the backup"
        ) from None
    file = folder / Path(manifest.file).name
    if not file.exists() or file.stat().st_size != manifest.bytes or checksum(file) != manifest.sha256:
        raise Misconfigured(f"{file} is not the file that was backed up: its size or checksum differs; use another one")
    return manifest


def checksum(file: Path) -> str:
    """Return the SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
