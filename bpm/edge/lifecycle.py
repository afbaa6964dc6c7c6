"""Whether this process still takes new work."""


class Lifecycle:
    """Set to draining once, when the process is told to stop; what is under way is still finished."""

    def __init__(self) -> None:
        self._draining = False

    @property
    def draining(self) -> bool:
        """Whether new requests are refused with 503."""
        return self._draining

    def drain(self) -> None:
        """Refuse new requests from now on."""
        self._draining = True
