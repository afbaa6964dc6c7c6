"""Which handler each database thread is in, for the log and for `/readyz`."""

from threading import get_ident


class HandlerNames:
    """The name of the message whose handler a thread is in; of nested ones the innermost."""

    def __init__(self) -> None:
        """Begin with no thread in a handler."""
        self._names: dict[int, str] = {}

    def enter(self, name: str) -> str:
        """Note that the calling thread begins a handler; return the one that it is in already, or ""."""
        thread = get_ident()
        outer = self._names.get(thread, "")
        self._names[thread] = name
        return outer

    def leave(self, outer: str) -> None:
        """Note that the calling thread is back in the handler it was in before."""
        self._names[get_ident()] = outer

    def of(self, thread: int) -> str:
        """Return what a thread is in, "" for none."""
        return self._names.get(thread, "")
