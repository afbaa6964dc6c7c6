"""The settings of an installation: the platform's, and a group for each provider."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bpm import settings
from bpm.errors import Misconfigured
from bpm.security.net import AddressList
from bpm.settings import Settings, unknown_variables
from router.providers import declarations

CHECKS: Mapping[str, Callable[[Settings], object]] = {
    "BPM_TRUSTED_PROXIES": lambda read: AddressList.parse(read.trusted_proxies),
    "BPM_DELIVERY__ALLOWED_NETWORKS": lambda read: AddressList.parse(read.delivery.allowed_networks),
}
"""What reads a setting that is more than a value; it raises `ValueError` for what can't be right."""


def settings_type() -> type[Settings]:
    """Return `Settings` with the groups that the providers declare."""
    return settings.with_groups({declared.name: declared.settings for declared in declarations()})


def load_settings(**changes: Any) -> Settings:
    """Read them as `bpm.settings.load_settings` does; raises `Misconfigured`, for a variable that is none, too."""
    kind = settings_type()
    unknown = unknown_variables(kind, os.environ)
    try:
        read = settings.load_settings(kind, **changes)
    except Misconfigured as wrong:
        raise Misconfigured(*unknown, *(each for each in wrong.errors if each not in unknown)) from None
    problems = [*unknown, *_wrong_values(read)]
    if problems:
        raise Misconfigured(*problems)
    return read


def _wrong_values(read: Settings) -> Iterator[str]:
    for name, check in CHECKS.items():
        try:
            check(read)
        except ValueError as error:
            yield f"{name}: {error}"
