"""The presets: one file a provider in `preset_files`, with its scheme, where it is documented, and an example.

A new provider is a new file; nothing else names it. Beside the scheme a file says where the name of the event stands,
how the provider's handshake is answered, and which answer it expects: for rules' `when`, `handshake` and
`response`. Its example is a request that is rightly signed, with the id and the event that are found in it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from .scheme import Scheme

FOLDER = Path(__file__).parent / "preset_files"


@dataclass(frozen=True, slots=True)
class PresetExample:
    """A request as the provider sends it, signed at `now`; `source` says who signed it.

    `secret` verifies it. `private_key` is there where a provider signs with a key of its own, so that tests and
    the command line can sign; it is of no use to anybody. `published` is what stands at addresses that are fetched.
    """

    now: float
    body: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    secret: str = field(default="", repr=False)
    source: str = "made here"
    method: str = "POST"
    path: str = "/api/webhooks/example"
    query: str = ""
    base: str = "https://hooks.example.com"
    delivery_id: str = ""
    event: str = ""
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    private_key: str = field(default="", repr=False)
    published: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Preset:
    """All that is known of a provider's webhooks."""

    title: str
    documentation: str
    scheme: Scheme
    event: str = ""
    note: str = ""
    handshake: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None
    example: PresetExample | None = None


class Presets(Mapping[str, Preset]):
    """Every preset by its name, in the order of the names; a file is read when its preset is asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Look which files there are."""
        self._files = {path.stem: path for path in sorted(folder.glob("*.toml"))}
        self._read: dict[str, Preset] = {}

    def __getitem__(self, name: str) -> Preset:
        """Return a preset; raises `KeyError`, and `ValueError` for a file that can't be one."""
        if name not in self._read:
            self._read[name] = _preset(name, tomllib.loads(self._files[name].read_text()))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """Go over the names."""
        return iter(self._files)

    def __len__(self) -> int:
        """Count them."""
        return len(self._files)


class PresetSchemes(Mapping[str, Scheme]):
    """The schemes of presets by their names."""

    def __init__(self, presets: Presets) -> None:
        """Take the presets."""
        self._presets = presets

    def __getitem__(self, name: str) -> Scheme:
        """Return a preset's scheme; raises as `Presets` does."""
        return self._presets[name].scheme

    def __iter__(self) -> Iterator[str]:
        """Go over the names."""
        return iter(self._presets)

    def __len__(self) -> int:
        """Count them."""
        return len(self._presets)


def _preset(name: str, entry: dict[str, Any]) -> Preset:
    example = entry.pop("example", None)
    try:
        scheme = _scheme(name, entry.pop("signature"))
        return Preset(scheme=scheme, example=PresetExample(**example) if example else None, **entry)
    except (TypeError, KeyError) as error:
        raise ValueError(f"the preset {name} can't be read: {error}") from error


def _scheme(name: str, entry: dict[str, Any]) -> Scheme:
    also = entry.pop("also", None)
    fields = {field: _frozen(field, value) for field, value in entry.items()}
    return Scheme(name, **fields, also=_scheme(name, {**entry, **also}) if also is not None else None)


def _frozen(name: str, value: Any) -> Any:
    """Return lists and tables in forms that nobody can change."""
    if name == "secret_fields":
        return frozenset(value)
    if isinstance(value, dict):
        return tuple(cast("dict[str, Any]", value).items())
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


DETAILS = Presets()
"""Every preset by its name, with all that is known of it."""

PRESETS = PresetSchemes(DETAILS)
"""Every scheme that a configuration may name, besides `none` and `custom`."""
