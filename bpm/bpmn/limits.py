"""How large a running instance may grow."""

from dataclasses import dataclass
from typing import Protocol


class Limits(Protocol):
    """What an instance may use; whatever would need more is an incident."""

    @property
    def max_steps(self) -> int:
        """How many elements it may pass for one trigger."""
        ...

    @property
    def max_unattended_steps(self) -> int:
        """How many elements it may pass until a person, a message or a timer of a second or more comes."""
        ...

    @property
    def max_tokens(self) -> int:
        """How many tokens it may have at once."""
        ...

    @property
    def max_state_bytes(self) -> int:
        """How many bytes its state may have as JSON."""
        ...


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Limits for a caller that has none of its own."""

    max_steps: int = 1_000
    max_unattended_steps: int = 100_000
    max_tokens: int = 20_000
    max_state_bytes: int = 8 << 20
