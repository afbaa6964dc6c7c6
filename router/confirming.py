"""Requests by which a provider asks whether a subscription is wanted: the answer is to open an address of its own.

Such a request is stored and executed as every other one, after its signature was verified. What it becomes is not
the rule's own message but the command that opens the address, so that it is tried again, and its outcome is seen.
"""

from collections.abc import Mapping
from typing import Any

from bpm.bus import Message, Registry
from bpm.expressions import EvaluationError
from router.handshakes import MAX_STEPS, HandshakeConfig, Question
from router.request import InboundCall

CONFIRM = "ConfirmSubscriptionCommand"
"""The command that opens the address."""


class Confirming:
    """Tells which requests of a rule ask for a confirmation, and makes the command of one."""

    def __init__(self, config: HandshakeConfig, registry: Registry) -> None:
        """Take the handshake of the kind `confirm`; raises `NotFound` where there is no such command."""
        self._condition, self._address = config.confirmation
        self._hosts = config.hosts
        self._registry = registry
        registry.find(CONFIRM)

    def message(self, call: InboundCall) -> Message[Any] | None:
        """Return the command of a request that asks for a confirmation; None for any other request."""
        question = Question(call.method, call.parameters, call.headers, call.content)
        scope: Mapping[str, Any] = {"payload": question.payload, **question._asdict()}
        try:
            if not self._condition.holds(scope, MAX_STEPS):
                return None
            address = self._address.render(scope, MAX_STEPS)
        except (EvaluationError, ValueError):
            return None
        return self._registry.decode(CONFIRM, {"address": address, "hosts": self._hosts})
