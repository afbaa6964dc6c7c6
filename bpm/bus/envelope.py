"""A message on its way: who sends it, why, and what must be written down together with its effect."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from bpm.bus.messages import Message
from bpm.bus.outcome import Outcome
from bpm.errors import PUTS_OFF
from bpm.security.identifiers import new_id
from bpm.security.permissions import Principal
from bpm.store import Transaction, WrittenJson

MAX_DEPTH = 16
"""How many messages may cause one another before the chain counts as endless."""


class Recorder(ABC):
    """Something that is written in the same transaction as the effect.

    `can_wait`: of an effect that touches nothing outside but through its context, `before` may be run no sooner than
    at its first command. `is_tried_again`: whoever sends the message sends it again when it raises, which it does
    where an effect's turn has not come, and where what stopped it says nothing about it.
    """

    can_wait: ClassVar[bool] = True
    is_tried_again: bool = False

    def before(self, tx: Transaction, envelope: "Envelope") -> Outcome | None:
        """Run before the handler; an outcome returned here is the answer and the handler is not run."""
        return None

    @abstractmethod
    def after(self, tx: Transaction, envelope: "Envelope", outcome: Outcome) -> None:
        """Run after the handler, whether it succeeded or its effect was undone."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message and its circumstances; `correlation_id` is shared by all that one request causes.

    `request_id` may be the choice of whoever asked, so it is a name for logs and traces alone: several requests may
    have one. `work_id` is then what the product itself calls the work; see `work_key`.
    `shown` is what the audit log shows of a large message, written down before its transaction begins.
    `traceparent` is the header of whoever asked, as it came: it is linked to, and not passed on.
    """

    message: Message[Any]
    principal: Principal
    request_id: str = field(default_factory=new_id)
    correlation_id: str = ""
    causation_id: str | None = None
    address: str = ""
    idempotency_key: str | None = None
    fingerprint: str = ""
    depth: int = 0
    recorder: Recorder | None = None
    shown: WrittenJson | None = None
    traceparent: str = ""
    work_id: str = ""

    @property
    def name(self) -> str:
        """The message's `$type`."""
        return type(self.message).__name__

    @property
    def root(self) -> str:
        """The correlation id, which is the request's own unless something else caused it."""
        return self.correlation_id or self.request_id

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody sent it, and neither a rule or process nor another message."""
        return not self.depth and self.principal.kind in ("user", "key")

    def is_put_off_by(self, error: BaseException) -> bool:
        """Tell whether an error is raised to whoever sends the message again, instead of being what became of it."""
        return self.recorder is not None and self.recorder.is_tried_again and isinstance(error, PUTS_OFF)

    @property
    def work_key(self) -> str:
        """What tells this work from all other: the same at every attempt, and nothing that a sender chose."""
        return self.work_id or self.request_id

    @property
    def effect_key(self) -> str:
        """The idempotency key for what a handler does outside: the same at every attempt, also after a crash.

        It is that of the request that is tried again, or of the message that was sent with a key of its own.
        """
        return f"{self.principal.id}:{self.idempotency_key}" if self.idempotency_key is not None else self.work_key

    def caused(self, message: Message[Any], *, depth: int | None = None, **changes: Any) -> "Envelope":
        """Return the envelope of a message that this one's handler sends, without what was lent for this one.

        It is one deeper unless `depth` says otherwise.
        """
        changes.setdefault("principal", self.principal.without_loan())
        return replace(
            self,
            message=message,
            request_id=new_id(),
            correlation_id=self.root,
            causation_id=self.request_id,
            idempotency_key=None,
            fingerprint="",
            depth=self.depth + 1 if depth is None else depth,
            recorder=None,
            shown=None,
            traceparent="",
            work_id="",
            **changes,
        )

    def keyed(self, key: str) -> "Envelope":
        """Return the same envelope with an idempotency key of its own, good for this content only.

        What asks for a key is tried again as a whole, and may by then want to send something else.
        """
        content = hashlib.sha256(self.message.model_dump_json(by_alias=True).encode()).hexdigest()[:16]
        return replace(self, idempotency_key=f"{key}:{self.name}:{content}")
