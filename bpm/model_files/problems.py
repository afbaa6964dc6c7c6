"""What is wrong with a BPMN file: one problem for each place, all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass

from bpm.errors import Invalid

MAX_SENTENCES = 500
MAX_SHOWN = 1_000
"""Maximum characters shown of an id, of a name and of what is wrong: a file may hold one as large as itself."""


@dataclass(frozen=True, slots=True)
class BpmnProblem:
    """One reason why a file is not deployed, and the element it is about.

    `line` counts from 1 in the XML; 0 where the problem is about the file as a whole.
    """

    message: str
    element_id: str = ""
    element_name: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Say where and what, in one sentence: `line 12, 'charge' (Charge the card): …`."""
        name = f" ({self.element_name})" if self.element_name else ""
        where = [f"line {self.line}"] if self.line else []
        where += [f"'{self.element_id:.{MAX_SHOWN}}'{name:.{MAX_SHOWN}}"] if self.element_id else []
        message = f"{self.message:.{MAX_SHOWN}}"
        return f"{', '.join(where)}: {message}" if where else message


class InvalidDefinition(Invalid):
    """The process definition is not valid"""  # noqa: D400, D415 a message, not a sentence

    def __init__(self, problems: Sequence[BpmnProblem]) -> None:
        """Take every problem of the file, in the order of its lines; a hopeless file's sentences are cut short."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(*sentences_of(self.problems))


def sentences_of(problems: Sequence[BpmnProblem]) -> list[str]:
    """Say each problem in a sentence, in the order of the lines; of very many the first."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    sentences = [str(problem) for problem in ordered[:MAX_SENTENCES]]
    rest = len(ordered) - MAX_SENTENCES
    return [*sentences, f"and {rest} more problems"] if rest > 0 else sentences
