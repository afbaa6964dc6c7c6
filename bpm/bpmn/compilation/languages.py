"""The languages that scripts of a definition are written in."""

PYTHON = frozenset({"", "python", "python3", "text/python", "text/x-python", "application/python"})
EXPRESSION = frozenset({"feel", "juel"})
