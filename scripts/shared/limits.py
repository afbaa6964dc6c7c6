"""What one run of a script may use."""

from dataclasses import dataclass, fields

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps of a run; the child keeps them and the parent enforces them again.

    Bytes are counted as the value travels (msgpack), which is a little less than the same value as JSON.
    Raises ValueError when a limit is not a positive number.
    """

    source_bytes: int = 64 * KIB
    """Length of the source in UTF-8."""
    source_depth: int = 100
    """How deep statements and expressions of the source may nest."""
    input_bytes: int = MIB + 64 * KIB
    """Payload, variables, headers and the rest of what a script is given: 1 MiB of payload with its headers."""
    request_bytes: int = 4 * MIB
    """The input `request` besides: the body as text and in base64, of 1 MiB of text at least."""
    cpu_seconds: float = 1.0
    """Processor time of the run, user and system together."""
    wall_seconds: float = 10.0
    """Elapsed time of the run; the clock stands still while the parent answers a `send`."""
    wait_seconds: float = 30.0
    """How long a run may wait for its turn to compute, which is no time of its own."""
    answer_seconds: float = 20.0
    """Elapsed time within which each `send` must be answered."""
    memory_bytes: int = 128 * MIB
    """Address space on top of what an idle child has."""
    result_bytes: int = MIB
    """Result, reply and final variables together; also the fields of one `send`."""
    result_values: int = 100_000
    """Numbers, texts, lists and dictionaries in them: what the server looks at one by one."""
    log_lines: int = 200
    log_bytes: int = 64 * KIB
    sends: int = 50
    """Commands one run may send."""
    sent_bytes: int = 8 * MIB
    """Fields of all these commands together."""
    reuse_runs: int = 100
    """Runs after which a child of isolation grade `rule` is retired."""
    reuse_seconds: float = 60.0
    """Age at which a child of isolation grade `rule` is retired."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"The limit {field.name} must be greater than zero.")
