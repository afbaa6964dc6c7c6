"""The retention policies of all areas, in the order of deletion: rows that others refer to go last."""

from bpm.bus import retention as bus
from bpm.events import retention as events
from bpm.process import retention as processes
from commands.code import retention as scripts
from router import retention as requests

POLICIES = (*requests.POLICIES, *events.POLICIES, *processes.POLICIES, *scripts.POLICIES, *bus.POLICIES)
