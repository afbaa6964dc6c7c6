"""The retention policies of the platform, and of every area that declares its own, in the order of deletion.

An area declares them as `POLICIES` in a module `retention` of its folder.
"""

from collections.abc import Iterable
from types import ModuleType

from bpm.bus import retention as bus
from bpm.bus.registry import modules_of
from bpm.events import retention as events
from bpm.process import retention as processes
from bpm.store.retention import Policy
from router import retention as requests


def policies(packages: Iterable[str]) -> tuple[Policy, ...]:
    """Return all of them for these packages of commands: rows that others refer to go last."""
    areas = [policy for package in packages for module in modules_of(package) for policy in _declared_in(module)]
    return (*requests.POLICIES, *events.POLICIES, *processes.POLICIES, *areas, *bus.POLICIES)


def _declared_in(module: ModuleType) -> tuple[Policy, ...]:
    is_retention = module.__name__.endswith(".retention")
    return getattr(module, "POLICIES", ()) if is_retention else ()
