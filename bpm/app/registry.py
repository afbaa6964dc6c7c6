"""The messages that an installation knows: ours, and those of the application's packages."""

import sys
from functools import cache
from importlib.metadata import entry_points

from bpm.bus import Registry
from bpm.bus.list_query_check import require_created_at
from bpm.settings import Settings

ENTRY_POINTS = "bpm.commands"
"""The entry point group under which an installed package offers commands of its own."""


def build_registry(settings: Settings) -> Registry:
    """Return a registry with our commands and those of the application's packages."""
    registry = Registry()
    registry.discover("commands")
    for package in application_packages(settings):
        registry.discover(package, is_application=True)
    for registration in registry:
        require_created_at(registration.handler, registration.message_type)
    return registry


def command_packages(settings: Settings) -> list[str]:
    """Return the packages in which messages, their handlers and what belongs to them are found: ours, then others'."""
    return ["commands", *application_packages(settings)]


def application_packages(settings: Settings) -> list[str]:
    """Return the packages with an application's own commands: those the settings name and the installed ones."""
    return list(dict.fromkeys([*settings.command_packages, *_installed_packages(tuple(sys.path))]))


@cache
def _installed_packages(_path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the packages of the entry point group; to look for them reads the metadata of everything on the path."""
    return tuple(entry.value for entry in entry_points(group=ENTRY_POINTS))
