"""The settings of an installation: the platform's, and a group for each provider."""

from typing import Any

from bpm import settings
from bpm.settings import Settings
from router.providers import declarations


def settings_type() -> type[Settings]:
    """Return `Settings` with the groups that the providers declare."""
    return settings.with_groups({declared.name: declared.settings for declared in declarations()})


def load_settings(**changes: Any) -> Settings:
    """Read them as `bpm.settings.load_settings` does; raises `Misconfigured`."""
    return settings.load_settings(settings_type(), **changes)
