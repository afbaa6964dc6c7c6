"""`bpm demo`."""


def demo() -> None:
    """Start a server with example rules, fire real payloads at them and print what happened."""
