"""Everything that goes when it is old, area by area; what others need goes last."""

from bpm.bus.retention import POLICIES as OF_THE_BUS
from bpm.events.retention import POLICIES as OF_EVENTS
from bpm.process.retention import POLICIES as OF_PROCESSES
from commands.code.retention import POLICIES as OF_SCRIPTS
from router.retention import POLICIES as OF_THE_ROUTER

POLICIES = (*OF_THE_ROUTER, *OF_EVENTS, *OF_PROCESSES, *OF_SCRIPTS, *OF_THE_BUS)
