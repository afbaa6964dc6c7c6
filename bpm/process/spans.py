"""The span of a step of a process instance that a worker takes."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from bpm.process.rows import InstanceRow, WaitRow
from bpm.tracing import Tracer


@contextmanager
def recorded_step(tracer: Tracer, wait: WaitRow, instance: InstanceRow) -> Generator[None]:
    """Write down the work on a wait: a script, a command, a timer, or a piece of something longer."""
    began = time.perf_counter()
    is_failed = True
    try:
        yield
        is_failed = False
    finally:
        tracer.record(
            f"step {wait.kind}",
            instance.correlation_id,
            time.perf_counter() - began,
            {
                "bpm.process.instance.id": instance.id,
                "bpm.process.definition.id": instance.definition_id,
                "bpm.process.wait.id": wait.wait_id,
                "bpm.process.attempt": wait.attempt,
                "bpm.organization.id": instance.organization_id,
            },
            kind="consumer",
            is_failed=is_failed,
        )
