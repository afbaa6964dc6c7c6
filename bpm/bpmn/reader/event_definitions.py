"""What an event waits for or throws, as its event definition says (BPMN 2.0.2, 10.5.5)."""

from dataclasses import dataclass

from bpm.bpmn.cron import from_quartz
from bpm.bpmn.reader.attributes import own_attributes
from bpm.model_files.xml import Tag

REFERENCES = {"link": "name", "compensate": "activityRef"}
"""The attributes that name something, where they are not called as the kind is."""

TIMINGS = {"timeDuration": "duration", "timeDate": "date", "timeCycle": "cycle"}


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What an event waits for or throws.

    `kind` is message, timer, error, terminate, signal and so on; `reference` is the id of the message, error …
    it names (of the activity, when it compensates one), or a link's name; `timing` is duration, date or cycle and
    `text` the timer's or condition's own text. `waits` False: it does not wait for the compensation it throws.
    """

    kind: str
    reference: str = ""
    timing: str = ""
    text: str = ""
    waits: bool = True


def read_event(tag: Tag, is_camunda_7: bool) -> EventDefinition:
    """Read an event definition; one by reference keeps the whole tag as its kind."""
    kind = tag.name.removesuffix("EventDefinition")
    reference = tag.get(REFERENCES.get(kind, f"{kind}Ref"))
    for child in tag.children:
        if child.name in TIMINGS:
            text = child.text.strip()
            return EventDefinition(kind, reference, TIMINGS[child.name], from_quartz(text) if is_camunda_7 else text)
        if child.name == "condition":
            return EventDefinition(kind, reference, text=child.text.strip())
    return EventDefinition(kind, reference, waits=own_attributes(tag).get("waitForCompletion") != "false")
