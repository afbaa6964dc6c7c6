"""The typed bus: messages in, one handler each, one result."""

from bpm.bus.bus import Bus
from bpm.bus.context import Context, EffectContext
from bpm.bus.dry_run_result import DryRunResult
from bpm.bus.envelope import Envelope, Recorder
from bpm.bus.field_permissions import ShownWith
from bpm.bus.messages import Command, Id, Integer, Message, Moment, Query, View, WireModel
from bpm.bus.outcome import Outcome
from bpm.bus.paging import Page, PagedQuery
from bpm.bus.registry import Registration, Registry, handles

__all__ = [
    "Bus",
    "Command",
    "Context",
    "DryRunResult",
    "EffectContext",
    "Envelope",
    "Id",
    "Integer",
    "Message",
    "Moment",
    "Outcome",
    "Page",
    "PagedQuery",
    "Query",
    "Recorder",
    "Registration",
    "Registry",
    "ShownWith",
    "View",
    "WireModel",
    "handles",
]
