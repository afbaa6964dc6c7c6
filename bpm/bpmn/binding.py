"""Which version of a process or decision an element means."""

from typing import Literal, NamedTuple, get_args

BindingKind = Literal["latest", "deployment", "version", "versionTag"]
BINDING_KINDS: tuple[BindingKind, ...] = get_args(BindingKind)


class Binding(NamedTuple):
    """The newest version; the one deployed with the version that names it; one by its number; one by its tag.

    `value` is the number or the tag.
    """

    kind: BindingKind = "latest"
    value: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "latest":
                return ""
            case "deployment":
                return " that was deployed with the version that names it, or before"
            case "version":
                return f" in version {self.value}"
            case "versionTag":
                return f" with the version tag {self.value}"


LATEST = Binding()
