"""What can be done with many rows at once: the message for each, and the query that chooses them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

ActionName = Literal["replayRequests", "discardRequests", "resendDeliveries", "cancelDeliveries", "retryIncidents"]


@dataclass(frozen=True, slots=True)
class Action:
    """A message that is sent for each row that a query chooses.

    `fields_of` makes the message's own fields of an id; `told_by` is the field of the answer that says whether the row
    was done, where the message may say no without failing.
    """

    message_type: str
    select: str
    fields_of: Callable[[str], Mapping[str, Any]]
    told_by: str | None = None


def _request(id_: str) -> Mapping[str, Any]:
    return {"requestId": id_}


def _delivery(id_: str) -> Mapping[str, Any]:
    return {"id": id_}


def _incident(id_: str) -> Mapping[str, Any]:
    instance_id, _, wait_id = id_.partition(".")
    return {"instanceId": int(instance_id), "waitId": int(wait_id)}


ACTIONS: dict[ActionName, Action] = {
    "replayRequests": Action("ReplayInboundRequestCommand", "SelectInboundRequestsQuery", _request, "replayed"),
    "discardRequests": Action("DiscardInboundRequestCommand", "SelectInboundRequestsQuery", _request),
    "resendDeliveries": Action("RetryDeliveryCommand", "SelectDeliveriesQuery", _delivery),
    "cancelDeliveries": Action("CancelDeliveryCommand", "SelectDeliveriesQuery", _delivery),
    "retryIncidents": Action("RetryIncidentCommand", "SelectIncidentsQuery", _incident),
}
