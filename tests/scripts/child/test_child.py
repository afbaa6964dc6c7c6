"""What a child does before its job."""

from scripts.child import guards
from scripts.child.child import REHEARSAL, rehearse
from scripts.child.compiler import compile_script
from scripts.child.execution import Language


def test_the_rehearsal_ends_well() -> None:
    """The script that warms a child up compiles without remark and comes to its end."""
    language = Language(compile_script, guards.namespace())
    compiled = language.compile(REHEARSAL, 100)
    assert (compiled["problems"], compiled["warnings"]) == ([], [])
    assert rehearse(language, compiled["code"])
