"""The retention policies of the platform, and of every area that declares its own, in the order of deletion.

An area declares them as `POLICIES` in a module `retention` of its folder.
"""

from collections.abc import Iterable

from bpm.bus import retention as bus
from bpm.bus.registry import modules_of
from bpm.events import retention as events
from bpm.process import retention as processes
from bpm.store.retention import Policy
from router import retention as requests


def policies(packages: Iterable[str]) -> tuple[Policy, ...]:
    """Return all of them for these packages of commands: rows that others refer to go last."""
    declared = [module.POLICIES for package in packages for module in modules_of(package) if _declares(module.__name__)]
    areas = [policy for each in declared for policy in each]
    return (*requests.POLICIES, *events.POLICIES, *processes.POLICIES, *areas, *bus.POLICIES)


def _declares(name: str) -> bool:
    return name.endswith(".retention")
