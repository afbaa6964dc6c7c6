"""What the server is set to, and where each setting came from."""

import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal, cast

from pydantic import SecretStr

from bpm.bus import Context, Query, View, handles
from bpm.security.redaction import redacted_address
from bpm.settings import Settings, variables

HIDDEN = "***"

Origin = Literal["environment", "default"]


class SettingView(View):
    """One setting."""

    name: str
    """Its variable."""
    value: str
    """The value that holds; a secret is hidden, and what is unset is empty."""
    origin: Origin
    """Where the value came from."""
    about: str
    """What it is for."""


class SettingsView(View):
    """Every setting of the process that answers, in the order of the documentation."""

    items: list[SettingView]
    """All of them."""


class GetSettingsQuery(Query[SettingsView]):
    """List the settings that hold, and whether the environment set each or it is the default; secrets are hidden."""

    permission = "system:read"
    succeeded = "Settings retrieved successfully"


@handles
def get_settings(query: GetSettingsQuery, context: Context, settings: Settings) -> SettingsView:
    """Read them as the process did when it started."""
    return SettingsView(items=list(present_settings(settings, os.environ)))


def present_settings(settings: Settings, environment: Iterable[str]) -> Iterator[SettingView]:
    """Yield every setting with its value and origin."""
    given = {name.upper() for name in environment}
    for name, field in variables(type(settings)):
        value: Any = settings
        for step in name.removeprefix("BPM_").lower().split("__"):
            value = getattr(value, step)
        origin: Origin = "environment" if {name, name.partition("__")[0]} & given else "default"
        about = " ".join((field.description or "").split())
        yield SettingView(name=name, value=_shown(name, value), origin=origin, about=about)


def _shown(name: str, value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    text = ",".join(map(str, cast("tuple[Any, ...]", value))) if isinstance(value, tuple) else str(value)
    return redacted_address(text) if name.endswith("_URL") else text
