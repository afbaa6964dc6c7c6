"""Messages that came before anybody waited for them, and the waits of one transaction that could take them."""

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from bpm.bpmn.effects import OpenMessageWait
from bpm.bpmn.triggers import MessageArrived
from bpm.bus import Context
from bpm.process.message_tables import find_oldest, lock_name, take_message
from bpm.process.sealing import restored_wait
from bpm.security.permissions import Authority

if TYPE_CHECKING:
    from bpm.process.step import Step


@dataclass(frozen=True, slots=True)
class EarlyMessage:
    """A message from the buffer, and whom its sender acted for; nobody where that was not kept yet."""

    message: MessageArrived
    sender: Authority


class EarlyMessages:
    """Finds the messages for the waits that are opened, and takes each out of the buffer for the wait that uses it.

    Several waits of an instance may have found one, but the first to be answered may close the others: what those
    found stays in the buffer for somebody else. The oldest message comes first, whichever wait it is for.
    """

    def __init__(self, context: Context) -> None:
        """Work in the context's transaction."""
        self._context = context
        self._found: defaultdict[int, list[tuple[int, int, OpenMessageWait]]] = defaultdict(list)

    def find(self, instance_id: int, wait: OpenMessageWait) -> bool:
        """Look for the oldest message for a wait; tells whether there is one."""
        context = self._context
        lock_name(context.tx, context.organization_id, wait.name, wait.key, is_shared=True)
        message = find_oldest(context.tx, context.organization_id, wait.name, wait.key, context.now())
        if message is not None:
            heappush(self._found[instance_id], (message, wait.wait_id, wait))
        return message is not None

    def take(self, step: "Step") -> EarlyMessage | None:
        """Take the oldest message for what an instance still waits for; None when there is none any more."""
        found = self._found[step.row.id]
        while found:
            message, wait_id, wait = heappop(found)
            if (still := step.instance.waits.get(wait_id)) is None or still.kind != "message":
                continue
            taken = take_message(self._context.tx, message)
            if taken is not None:
                sender = Authority() if taken.authority is None else Authority.from_json(taken.authority)
                return EarlyMessage(MessageArrived(wait_id, restored_wait(taken.variables, self._context.box)), sender)
            self.find(step.row.id, wait)
        return None
