"""Scripts run in the sandbox through the bus."""

from typing import Any

import pytest

from bpm.errors import BpmError, Failed, Forbidden, Invalid, NotFound
from tests.commands.conftest import House, stranger

pytestmark = pytest.mark.anyio

CAUGHT = "try:\n    {}\nexcept CommandError as e:\n    return [e.code, e.message, e.errors]"


async def run(house: House, code: str, **fields: Any) -> Any:
    return await house.send("ExecuteCodeCommand", code=code, **fields)


async def failure(house: House, code: str, **fields: Any) -> BpmError:
    with pytest.raises(BpmError) as raised:
        await run(house, code, **fields)
    return raised.value


async def events(house: House) -> list[str]:
    listed = await house.send("GetEventListQuery", sortDirection="asc", pageSize=100)
    return [item["event"] for item in listed["items"]]


async def test_a_script_sees_its_inputs(house: House) -> None:
    """A script sees payload, headers, query, path, method, request id and variables."""
    ran = await run(
        house,
        "return [payload, headers, query, path, method, request_id, variables]",
        payload={"n": 1},
        headers={"h": "1"},
        query={"q": "1"},
        path={"p": "1"},
        method="POST",
        requestId="r1",
        variables={"v": 1},
    )
    assert ran["result"] == [{"n": 1}, {"h": "1"}, {"q": "1"}, {"p": "1"}, "POST", "r1", {"v": 1}]
    assert ran["variables"] == {"v": 1}


async def test_a_script_answers(house: House) -> None:
    """The result, the reply and the log lines are returned with what the run cost."""
    ran = await run(house, "log('hello', 1)\nreply(201, {'ok': True}, {'X-A': 'b'})\nresult = 5")
    assert (ran["result"], ran["logs"]) == (5, ["hello 1"])
    assert ran["reply"] == {"status": 201, "body": {"ok": True}, "headers": {"X-A": "b"}}
    assert ran["cpuSeconds"] >= 0
    assert ran["peakMemoryBytes"] > 0


async def test_a_run_can_be_replayed(house: House) -> None:
    """The same seed and time give the same random numbers and the same moment."""
    code = "import random\nreturn [random.random(), str(now())]"
    first = await run(house, code)
    again = await run(house, code, seed=first["seed"], now=first["now"])
    other = await run(house, code)
    assert again["result"] == first["result"]
    assert other["result"][0] != first["result"][0]


async def test_a_script_sends_commands(house: House) -> None:
    """A script's command goes through the bus with the sender's permissions and returns its data."""
    ran = await run(house, "made = send('PublishEventCommand', {'event': 'a.b'})\nreturn made['event']")
    assert (ran["result"], ran["sends"]) == ("a.b", 1)
    reader = stranger(permissions=frozenset({"code:write"}))
    refused = await house.send(
        "ExecuteCodeCommand",
        reader,
        code=CAUGHT.format("send('PublishEventCommand', {'event': 'a'})"),
    )
    assert refused["result"] == [
        "forbidden",
        "You do not have the permission for this.",
        ["PublishEventCommand needs the permission events:write"],
    ]


async def test_a_refused_command_is_an_exception(house: House) -> None:
    """A script may catch a refusal with its code, message and sentences, or fail with it."""
    code = CAUGHT.format("send('LookupWebHookByKeyCommand', {'key': 'x'})")
    sentence = "No webhook configuration found with the specified key"
    assert (await run(house, code))["result"] == ["not_found", "Lookup failed", [sentence]]
    error = await failure(house, "x = 1\nsend('LookupWebHookByKeyCommand', {'key': 'x'})")
    assert isinstance(error, Failed)
    assert error.errors == (f"line 2, column 1, error: CommandError: Lookup failed (not_found): {sentence}",)


async def test_a_script_tried_again_does_not_repeat_what_succeeded(house: House) -> None:
    """A worker's second attempt gets the first one's answers for equal commands, and may send others."""
    code = "send('PublishEventCommand', {'event': 'a'})\nsend('LookupWebHookByKeyCommand', {'key': 'late'})"
    for _ in range(2):
        with pytest.raises(Failed):
            await house.attempt("ExecuteCodeCommand", {"code": code}, "request-1")
    assert await events(house) == ["a"]
    mended = "send('PublishEventCommand', {'event': 'b'})"
    await house.attempt("ExecuteCodeCommand", {"code": mended}, "request-1")
    assert await events(house) == ["a", "b"]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("x = 1\n1 / 0", "line 2, column 1, error: ZeroDivisionError: division by zero"),
        ("while True:\n    pass", "cpu: The script used its 1 s of processor time"),
        ("return 'x' * 2_000_000", "output: "),
        ("a = = 1", "line 1, column 5, syntax: "),
        ("().__class__", "line 1, column 1, forbidden: "),
    ],
)
async def test_a_failure_says_where_and_why(house: House, code: str, sentence: str) -> None:
    """A script that fails says the place and the reason in one sentence."""
    error = await failure(house, code)
    assert isinstance(error, Failed)
    assert sentence in error.errors[0]


async def test_text_that_is_not_unicode_is_refused(house: House) -> None:
    """A result with a lone surrogate is a failure with a reason, not a broken answer."""
    error = await failure(house, "return chr(0xD800)")
    assert isinstance(error, Failed)


async def test_a_script_is_checked_without_running(house: House) -> None:
    """All problems and warnings of a script are returned with their places."""
    found = await house.send("ValidateCodeCommand", code="a = ().__class__\nb = a.__bases__\n")
    assert not found["isValid"]
    assert [(p["line"], p["code"]) for p in found["problems"]] == [(1, "forbidden"), (2, "forbidden")]
    assert {"line", "column", "endLine", "endColumn", "code", "message"} == set(found["problems"][0])
    fine = await house.send("ValidateCodeCommand", code="result = paylod")
    assert fine["isValid"]
    assert [w["code"] for w in fine["warnings"]] == ["unknown_name"]


async def test_permissions_are_asked_for(house: House) -> None:
    """Running needs code:write, checking code:read."""
    nobody = stranger(permissions=frozenset[str]())
    for name in ("ExecuteCodeCommand", "ValidateCodeCommand"):
        with pytest.raises(Forbidden):
            await house.send(name, nobody, code="result = 1")


async def test_an_empty_script_is_refused(house: House) -> None:
    """Code is required and bounded."""
    for code in ("", "x" * 65_537):
        assert isinstance(await failure(house, code), Invalid)
    with pytest.raises(NotFound):
        await house.send("ExecuteCodeCommnd", code="1")
