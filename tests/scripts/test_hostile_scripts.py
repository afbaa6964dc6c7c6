"""Hostile scripts are stopped by the language layer, and the next script finds everything as before."""

from typing import Any

import pytest

from scripts import Limits, Sandbox
from tests.scripts.corpus import Bus, Section, inputs_of, scripts_of, sections_of, word_for

pytestmark = pytest.mark.anyio

SCRIPTS = scripts_of("hostile_scripts.json", "language")

IMPATIENT = Limits(cpu_seconds=0.3, answer_seconds=0.5)
"""What is to be stopped is stopped soon; the script that follows it has the patience of any other."""
ANY_END = 4
"""Number of scripts that may end in one way or another: they are about what they leave behind."""


def test_the_corpus_is_whole() -> None:
    """No script was lost, and few may end as they like."""
    assert len(SCRIPTS) >= 149
    assert sum(script["expect"] == ["any"] for script in SCRIPTS) <= ANY_END


@pytest.mark.parametrize("script", SCRIPTS, ids=[script["name"] for script in SCRIPTS])
async def test_a_script_of_the_corpus_is_stopped(sandbox: Sandbox, script: dict[str, Any]) -> None:
    """Every hostile script ends as the corpus says, and an ordinary one succeeds after it."""
    bus = Bus()
    run = await sandbox.run(script["code"], inputs_of(script), send=bus.send, limits=IMPATIENT)
    word = word_for(run)
    assert word in script["expect"] or script["expect"] == ["any"]
    assert "ESCAPED" not in str(run.result)
    assert run.result == script.get("result", run.result)
    assert len(bus.sent) == run.sends <= script.get("max_sends", run.sends)
    assert len(run.logs) <= script.get("max_logs", 200)
    assert len("".join(run.logs).encode()) <= script.get("max_log_bytes", 65536)
    assert run.peak_memory_bytes <= script.get("max_rss_kb", 260_000) * 1024
    if run.failure is not None:
        assert run.failure.message.startswith(script.get("error_type", ""))
    if "lines" in script:
        assert run.failure is not None
        assert run.failure.line in range(script["lines"][0], script["lines"][-1] + 1)
    after = await sandbox.run(script.get("then", "result = 'clean'"), {"payload": {}})
    assert (after.failure, after.result) == (None, script.get("then_result", "clean"))


REFUSED = {
    "a guard as a keyword argument": "def f(*, _getattr_=None):\n    pass",
    "a guard as a positional-only argument": "def f(_write_, /):\n    pass",
    "a guard as an exception's name": "try:\n    pass\nexcept Exception as _getattr_:\n    pass",
    "a guard as a class": "class _getattr_:\n    pass",
    "a guard as a function": "def _getattr_(o, n):\n    return 1",
    "a guard by walrus": "(_getattr_ := 1)",
    "a guard as a with target": "with x as _write_:\n    pass",
    "a guard in a comprehension": "[1 for _getattr_ in [1]]",
    "a star import": "from json import *",
    "a private member": "from json import _default_decoder",
    "a metaclass": "class A(metaclass=dict):\n    pass",
    "class keywords": "class A(**{'metaclass': dict}):\n    pass",
    "slots": "class A:\n    __slots__ = ('x',)",
    "a special method outside a class": "def __init__(self):\n    pass",
    "a special method of attribute access": "class A:\n    def __getattribute__(self, n):\n        pass",
    "a special method of creation": "class A:\n    def __new__(cls):\n        pass",
    "a hook of subclasses": "class A:\n    def __init_subclass__(cls):\n        pass",
    "a hook of formatting": "class A:\n    def __format__(self, spec):\n        pass",
    "an initialiser of another object": "json.__init__('x', {})",
    "writing a readable special name": "class A:\n    pass\nA.__name__ = 'B'",
    "await": "async def f():\n    await g()",
    "a frame by augmented assignment": "x.f_globals += 1",
    "a private item by augmented assignment": "x._y[0] += 1",
    "a private name in a slice": "x[__builtins__:] += 1",
    "builtins by name": "__builtins__",
    "a private keyword": "f(_x=1)",
    "the builtins module": "import builtins",
    "a special name of a generator's frame": "(x for x in y).gi_code",
    "the container function": "_script_()",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_door_of_the_language_is_refused_when_saved(sandbox: Sandbox, name: str) -> None:
    """No syntax binds a guard, reaches a private name or takes part in attribute access."""
    check = await sandbox.check(REFUSED[name])
    assert check.problems
    assert {problem.code for problem in check.problems} <= {"forbidden", "syntax"}


DENIED = {
    "a submodule of a loaded package": "from urllib import request",
    "a submodule by another way": "from json import decoder",
    "super of something else": "def super():\n    return json\nsuper().__init__('x', {})",
    "super's second form": "result = super(str, 'x').format",
    "a base that formats": "class S(str):\n    pass",
    "a base that is a function": "class S(log):\n    pass",
    "the class of a function": "type(log)",
    "the class of a module": "type(json)",
    "the order of a class": "class A:\n    pass\nA.mro()",
    "a special name by hasattr": "assert hasattr(1, '__class__')",
    "a special name with a default": "getattr(1, '__class__', None)",
    "a name that is no text": "getattr(1, b'real')",
    "a readable special name written": "class A:\n    pass\nsetattr(A, '__name__', 'x')",
    "an attribute of a builtin class": "setattr(dict, 'x', 1)",
    "an attribute of a function": "def f():\n    pass\nf.x = 1",
    "an item of a module": "json['x'] = 1",
    "a method of a facade's class": "getattr(json, '__setattr__')",
    "format of the class by map": "list(map(str.format, ['{0.__class__}'], [1]))",
    "format through a nested specification": "'{0:{1.__class__}}'.format(1, 2)",
    "format through an index": "'{0[__class__]}'.format(1)",
    "format_map by getattr": "getattr('', 'format_map')",
    "self of a bound function": "getattr(log, '__self__')",
    "globals of a guard": "getattr(getattr, '__globals__')",
    "a traceback's frame": (
        "class C:\n    def __enter__(self):\n        pass\n    def __exit__(self, t, v, tb):\n"
        "        getattr(tb, 'tb_frame')\nwith C():\n    1 / 0"
    ),
    "a relative import": "from . import limits",
    "a module of ours": "from scripts import policy",
    "a hook of JSON": "json.loads('{}', cls=log)",
    "a system's random numbers": "random.SystemRandom()",
    "an unlisted digest": "hashlib.new('md5')",
    "a time zone from bytes": "zoneinfo.ZoneInfo('UTC').from_file(None)",
    "the cache of time zones": "zoneinfo.ZoneInfo('UTC').clear_cache()",
    "a codec from a file": "b'x'.decode('zip_codec')",
}


@pytest.mark.parametrize("name", DENIED)
async def test_a_door_of_the_run_time_is_denied(sandbox: Sandbox, name: str) -> None:
    """What can only be seen while a script runs ends in an ordinary error on a line of the script."""
    run = await sandbox.run(DENIED[name], {})
    assert run.failure is not None
    assert run.failure.reason == "error"
    assert run.failure.line


MORE = sections_of("hostile.txt")


@pytest.mark.parametrize("script", MORE, ids=[script.name for script in MORE])
async def test_a_script_of_ours_is_stopped(sandbox: Sandbox, script: Section) -> None:
    """Every hostile script ends with a reason it may end with, has reached nothing, and an ordinary one succeeds."""
    bus = Bus()
    run = await sandbox.run(script.code, {"payload": {}}, send=bus.send, limits=IMPATIENT)
    assert (run.failure.reason if run.failure else "ok") in script.words
    assert "ESCAPED" not in f"{run.result} {run.reply} {run.logs}"
    assert len(bus.sent) == run.sends <= 50
    if run.failure is not None:
        assert run.failure.message.endswith((".", ")", "'")) or run.failure.reason == "error"
    after = await sandbox.run("result = 'clean'", {})
    assert (after.failure, after.result) == (None, "clean")
