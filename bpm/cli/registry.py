"""The messages that a server with these settings would know, without one."""

from bpm.app import build_registry
from bpm.app.settings import load_settings
from bpm.bus import Registry
from bpm.cli.exits import ExitStatus, fail
from bpm.errors import Misconfigured


def offline_registry() -> Registry:
    """Return every message, an application's included; ends the command when its packages are not sound."""
    try:
        return build_registry(load_settings())
    except (Misconfigured, ValueError) as error:
        fail(ExitStatus.ERROR, str(error))
