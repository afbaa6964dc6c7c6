"""A script's commands: sent as its sender, each remembered with its answer."""

import hashlib
import json
import re
from functools import partial
from itertools import count
from typing import Any

from bpm.bus import Context, EffectContext, Message, Registry
from bpm.bus.behaviors import authorise
from bpm.errors import BpmError, Defect, Failed, Fenced, SwitchedOff, Unavailable
from bpm.threads import beside_loop, size_of
from commands.code.recording import RecordedAnswer
from scripts import CommandRefused


class ScriptSender:
    """Sends what one run wants sent: at once, or all together when it has ended well."""

    def __init__(self, context: EffectContext, registry: Registry) -> None:
        """Send on behalf of a run's sender."""
        self.answers: list[RecordedAnswer] = []
        self._context = context
        self._registry = registry
        self._ordinals = count(1)
        self._kept: list[Message[Any]] = []

    async def at_once(self, name: str, fields: dict[str, Any]) -> Any:
        """Send a command under a key of its own, so that a second try of the run does not repeat it."""
        key = f"{self._context.envelope.work_key}:{next(self._ordinals)}"
        try:
            data = await self._context.call(name, fields, idempotency_key=key)
        except (Unavailable, SwitchedOff, Defect, Fenced):
            raise
        except BpmError as error:
            raise await self._refused(name, fields, error, at_end=False) from error
        self.answers.append(RecordedAnswer(command=name, fields=await self._fingerprint(fields), data=data))
        return data

    async def at_end(self, name: str, fields: dict[str, Any]) -> None:
        """Check a command and keep it for the end."""
        try:
            message = await beside_loop(
                size_of(fields), partial(self._registry.decode, name, fields), self._context.organization_id
            )
            authorise(self._context.envelope.caused(message))
            if self._registry.of(message).kind != "transactional":
                raise Failed(f"{name} can't be sent at the end: only commands that stay in the database can")
        except BpmError as error:
            raise await self._refused(name, fields, error, at_end=True) from error
        self._kept.append(message)
        self.answers.append(RecordedAnswer(command=name, fields=await self._fingerprint(fields), at_end=True))

    def carry_out(self, context: Context) -> None:
        """Send in one transaction what was kept for the end; raises `Failed`, and nothing of it is done."""
        for message in self._kept:
            try:
                context.send(message)
            except (Unavailable, SwitchedOff, Defect):
                raise
            except BpmError as error:
                name = type(message).__name__
                sentences = "; ".join(error.errors)
                raise Failed(f"error: {name}, sent at the end, was refused, so nothing was: {sentences}") from error

    async def _refused(self, name: str, fields: dict[str, Any], error: BpmError, *, at_end: bool) -> CommandRefused:
        """Return a command's error as the script sees it; its code is the error's name, as in `not_found`."""
        failed = self._registry.find(name).message_type.failed if self._registry.knows(name) else ""
        code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
        refusal = CommandRefused(code, error.message_for(failed), list(error.errors))
        self.answers.append(
            RecordedAnswer(
                command=name,
                fields=await self._fingerprint(fields),
                at_end=at_end,
                refused=(code, str(refusal), refusal.errors),
            )
        )
        return refusal

    async def _fingerprint(self, fields: dict[str, Any]) -> str:
        return await beside_loop(size_of(fields), partial(fingerprint, fields), self._context.organization_id)


def fingerprint(fields: dict[str, Any]) -> str:
    """Return by what the fields of a command are known again, without keeping them: some are secrets."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()
