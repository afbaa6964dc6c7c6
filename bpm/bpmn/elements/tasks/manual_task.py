"""Manual and abstract tasks: work the engine does not see."""

from bpm.bpmn.elements.activity import Activity


class ManualTask(Activity):
    """Done outside of any system, so the token passes (BPMN 2.0.2, 13.3.3)."""


class AbstractTask(Activity):
    """A task of no type completes as soon as it is activated (BPMN 2.0.2, 13.3.3)."""
