"""What a decision model declares for its expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .kinds import KINDS, Kind
from .names import PROPERTIES, Names


@dataclass(frozen=True, slots=True)
class Environment:
    """Names that expressions can read, types that they can name, and names of functions that they can call.

    In a model a name that is declared nowhere may be a variable given by the caller, or a built-in function as a
    value; without a model (`is_model` false), only a variable.
    """

    names: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    is_model: bool = False
    spaced: Names = field(init=False)

    def __post_init__(self) -> None:
        """Find the names of several words once, for all expressions."""
        object.__setattr__(self, "spaced", Names((*PROPERTIES, *self.names)))


PLAIN = Environment()
