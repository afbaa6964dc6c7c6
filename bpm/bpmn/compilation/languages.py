"""The languages that scripts of a definition are written in."""

PYTHON = frozenset({"", "python", "python3", "text/python", "text/x-python", "application/python"})
EXPRESSION = frozenset({"feel", "juel"})


def marked(source: str) -> str:
    """An expression marked as one, however it is written."""
    return source if source.lstrip().startswith(("=", "${", "#{")) else f"={source}"
