"""Idempotency: the answer of a command is kept by its key, in the transaction of its effect, and given again."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import bpm.errors
from bpm.bus import tables
from bpm.bus.envelope import Envelope, Recorder
from bpm.bus.outcome import Outcome
from bpm.bus.registry import Registry
from bpm.clock import Clock
from bpm.errors import BpmError, Conflict, Defect, RateLimited, Unavailable
from bpm.exact_json import read_json, write_json
from bpm.security.secrets import SecretBox
from bpm.store import Transaction

LEASE = timedelta(seconds=20)
"""An effect's key that was not renewed for so long may be tried again: its process is gone."""


class Idempotency(Recorder):
    """The same key from the same caller with the same body gets the first answer again.

    Answers are sealed where they are kept: some hold what is shown only once, as a new API key. Bodies, and the keys
    of handlers that hold a digest of one, are kept as fingerprints that only the installation's key can make.
    """

    can_wait = False

    def __init__(self, clock: Clock, registry: Registry, box: SecretBox) -> None:
        """Take the clock that ages keys, the registry that reads results, and the box that seals them."""
        self._clock = clock
        self._registry = registry
        self._box = box
        self._under_way: set[tuple[str, str]] = set()

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Return the first answer, or reserve the key."""
        if envelope.idempotency_key is None:
            return None
        now = self._clock()
        for key in self._keys(envelope):
            known = tables.find_key(tx, envelope.principal.id, key)
            if known is None:
                continue
            if self._holds(known, envelope.principal.id, key, now - known.created_at):
                return self._recall(known, envelope)
            tables.forget_key(tx, envelope.principal.id, key)
        tables.reserve_key(
            tx,
            {
                "organization_id": envelope.principal.organization_id,
                "principal": envelope.principal.id,
                "key": self._keys(envelope)[0],
                "fingerprint": self._box.fingerprint(envelope.fingerprint) if envelope.fingerprint else "",
                "created_at": now,
            },
        )
        return None

    @contextmanager
    def under_way(self, envelope: Envelope) -> Generator[None]:
        """Hold the key while its effect runs in this process, however long nobody could renew it."""
        held = (envelope.principal.id, self._keys(envelope)[0])
        self._under_way.add(held)
        try:
            yield
        finally:
            self._under_way.discard(held)

    def _holds(self, known: tables.KeptAnswer, principal: str, key: str, age: timedelta) -> bool:
        """Tell whether a key is taken: for a day once it has its answer, before that as long as somebody works on it.

        A reservation from the future is one from before the clock was set back.
        """
        if known.answer is not None:
            return age <= tables.KEPT
        return -LEASE < age < LEASE or (principal, key) in self._under_way

    def renew(self, tx: Transaction, envelope: Envelope) -> None:
        """Say that the effect under a reserved key is still going on."""
        tables.renew_key(tx, envelope.principal.id, self._keys(envelope)[0], self._clock())

    def free(self, tx: Transaction, envelope: Envelope) -> None:
        """Forget a key whose work is put off."""
        if envelope.idempotency_key is not None:
            tables.forget_key(tx, envelope.principal.id, self._keys(envelope)[0])

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Keep the answer, unless trying again could give another one."""
        if envelope.idempotency_key is None:
            return
        key = self._keys(envelope)[0]
        if outcome.error is not None and not _is_final(outcome.error, envelope):
            tables.forget_key(tx, envelope.principal.id, key)
            return
        kept = write_json(_answer_to_keep(outcome)).decode()
        tables.answer_key(tx, envelope.principal.id, key, self._box.encrypt(kept))

    def _keys(self, envelope: Envelope) -> tuple[str, ...]:
        """Return as what a key may be kept: a client's own as it is, a handler's (no fingerprint) as a fingerprint."""
        key = envelope.idempotency_key or ""
        return (key,) if envelope.fingerprint else self._box.fingerprints(key)

    def _recall(self, known: Any, envelope: Envelope) -> Outcome:
        if known.organization_id != envelope.principal.organization_id:
            return Outcome(error=Conflict("Idempotency-Key: was used before for another organisation; take another"))
        if envelope.fingerprint and known.fingerprint not in self._fingerprints(envelope):
            return Outcome(error=Conflict("Idempotency-Key: was used before with another body"))
        if known.answer is None:
            wait = f"if its server has ended, send it again in {LEASE.seconds} seconds"
            return Outcome(
                error=Conflict(f"Idempotency-Key: the first request with it is still being processed; {wait}")
            )
        answer = read_json(self._box.decrypt(known.answer))
        if "error" in answer:
            kind: type[BpmError] = getattr(bpm.errors, answer["error"])
            return Outcome(error=kind(*answer["errors"], message=answer["message"]), replayed=True)
        return self._again(envelope, answer["data"])

    def _fingerprints(self, envelope: Envelope) -> tuple[str, ...]:
        """Return the fingerprints of the body, and the one that earlier versions kept of it."""
        return *self._box.fingerprints(envelope.fingerprint), envelope.fingerprint

    def _again(self, envelope: Envelope, data: object) -> Outcome:
        """Return what was answered before, as far as the sender may see it now."""
        registration = self._registry.of(envelope.message)
        kept = registration.result.validate_python(data, by_alias=True, strict=False)
        shown = registration.shown_to(envelope.principal, kept)
        return Outcome(data=shown, json=write_json(data) if shown is kept else registration.dump(shown), replayed=True)


def _answer_to_keep(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as it is kept: the data, or the error by the name of its class in `bpm.errors`."""
    error = outcome.error
    if error is None:
        return {"data": outcome.wire}
    kind = next(kind for kind in type(error).__mro__ if kind.__module__ == bpm.errors.__name__)
    message = error.message if error.has_own_message else None
    return {"error": kind.__name__, "message": message, "errors": list(error.errors)}


def _is_final(error: BpmError, envelope: Envelope) -> bool:
    """Tell whether a key keeps an error: a client's does, a handler's own (no fingerprint) is for trying again."""
    return bool(envelope.fingerprint) and not isinstance(error, Unavailable | RateLimited | Defect)
