"""What is wrong with a file of decisions, gathered while it is read, and how much there may be in it."""

from bpm.model_files.problems import BpmnProblem, InvalidDefinition
from bpm.model_files.xml import Tag

MAX_TESTS = 20_000
"""How many tests and expressions a file may hold: each takes about 50 microseconds to read."""


class Problems:
    """The problems of one file."""

    def __init__(self) -> None:
        self.found: list[BpmnProblem] = []
        self._left = MAX_TESTS

    def add(self, tag: Tag, message: str) -> None:
        """Note what is wrong with an element."""
        self.found.append(BpmnProblem(message, tag.get("id"), tag.get("name") or tag.get("label"), tag.line))

    def count(self, number: int) -> None:
        """Count tests and expressions; raises InvalidDefinition at once when they are too many."""
        self._left -= number
        if self._left < 0:
            raise InvalidDefinition([BpmnProblem(f"the file holds more than {MAX_TESTS} tests; put it into several")])

    def refuse(self) -> None:
        """Raise InvalidDefinition with every problem, if there is one."""
        if self.found:
            raise InvalidDefinition(list(dict.fromkeys(self.found)))
