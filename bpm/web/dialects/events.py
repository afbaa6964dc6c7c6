"""The events that an interface's clients may ask for."""

from bpm.events.catalogue import Family, family_of
from bpm.web.dialects.call import Call


async def event_names(call: Call, family: Family) -> list[str]:
    """Return the interface's own events in the order of its document, then those the organisation registered."""
    kinds = await call.everything("GetEventTypeListQuery", family=family, brief=True)
    names: list[str] = [kind["event"] for kind in kinds]
    order = {kind.name: number for number, kind in enumerate(family_of(family))}
    return sorted(names, key=lambda name: order.get(name, len(order)))
