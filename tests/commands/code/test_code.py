"""Scripts run in the sandbox through the bus."""

from typing import Any

import pytest

from bpm.errors import BpmError, Failed, Forbidden, Invalid, NotFound
from commands.code.tables import clear_runs
from tests.commands.sender import MessageSender, stranger

pytestmark = pytest.mark.anyio

CAUGHT = "try:\n    {}\nexcept CommandError as e:\n    return [e.code, e.message, e.errors]"


async def run(sender: MessageSender, code: str, **fields: Any) -> Any:
    return await sender.send("ExecuteCodeCommand", code=code, **fields)


async def failure(sender: MessageSender, code: str, **fields: Any) -> BpmError:
    with pytest.raises(BpmError) as raised:
        await run(sender, code, **fields)
    return raised.value


async def events(sender: MessageSender) -> list[str]:
    listed = await sender.send("GetEventListQuery", sortDirection="asc", pageSize=100)
    return [item["event"] for item in listed["items"]]


async def test_a_script_sees_its_inputs(sender: MessageSender) -> None:
    """A script sees payload, headers, query, path, method, request id and variables."""
    ran = await run(
        sender,
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


async def test_a_script_sees_the_bytes_of_a_body(sender: MessageSender) -> None:
    """As text and in base64, beside what else is known of the request; the run can be replayed, and shows no body."""
    code = "return [request['method'], request['body'], base64.b64decode(request['bodyBase64'])[0]]"
    ran = await run(sender, code, request={"method": "PUT"}, rawBody="/2E=")
    assert ran["result"] == ["PUT", "\ufffda", 255]
    assert (await sender.send("ReplayCodeCommand", runId=ran["runId"]))["isSame"]
    shown = await sender.send("GetCodeRunByIdQuery", runId=ran["runId"])
    assert shown["inputs"]["request"] == {"method": "PUT"}
    assert (await run(sender, "return request"))["result"] == {}


async def test_a_body_that_is_no_base64_is_refused(sender: MessageSender) -> None:
    """The caller is told; nothing is run."""
    assert isinstance(await failure(sender, "return 1", rawBody="?"), Invalid)


async def test_a_script_answers(sender: MessageSender) -> None:
    """The result, the reply and the log lines are returned with what the run cost."""
    ran = await run(
        sender, "log('hello', 1)\nreply(201, {'ok': True}, {'X-A': 'b'})\nn = sum(range(300_000))\nresult = 5"
    )
    assert (ran["result"], ran["logs"]) == (5, ["hello 1"])
    assert ran["reply"] == {"status": 201, "body": {"ok": True}, "headers": {"X-A": "b"}}
    assert 0 < ran["cpuSeconds"] <= 1
    assert ran["peakMemoryBytes"] > 0


async def test_a_run_can_be_replayed(sender: MessageSender) -> None:
    """The same seed and time give the same random numbers and the same moment."""
    code = "import random\nreturn [random.random(), str(now())]"
    first = await run(sender, code)
    again = await run(sender, code, seed=first["seed"], now=first["now"])
    other = await run(sender, code)
    assert again["result"] == first["result"]
    assert other["result"][0] != first["result"][0]


async def test_a_script_sends_commands(sender: MessageSender) -> None:
    """A script's command goes through the bus with the sender's permissions and returns its data."""
    ran = await run(sender, "made = send('PublishEventCommand', {'event': 'a.b'})\nreturn made['event']")
    assert (ran["result"], ran["sends"]) == ("a.b", 1)
    reader = stranger(permissions=frozenset({"code:write"}))
    refused = await sender.send(
        "ExecuteCodeCommand",
        reader,
        code=CAUGHT.format("send('PublishEventCommand', {'event': 'a'})"),
    )
    assert refused["result"] == [
        "forbidden",
        "You do not have the permission for this.",
        ["PublishEventCommand needs the permission events:write"],
    ]


async def test_a_refused_command_is_an_exception(sender: MessageSender) -> None:
    """A script may catch a refusal with its code, message and sentences, or fail with it."""
    code = CAUGHT.format("send('LookupWebHookByKeyCommand', {'key': 'x'})")
    sentence = "No webhook configuration found with the specified key"
    assert (await run(sender, code))["result"] == ["not_found", "Lookup failed", [sentence]]
    error = await failure(sender, "x = 1\nsend('LookupWebHookByKeyCommand', {'key': 'x'})")
    assert isinstance(error, Failed)
    assert error.errors == (f"line 2, column 1, error: CommandError: Lookup failed (not_found): {sentence}",)


async def test_a_script_tried_again_does_not_repeat_what_succeeded(sender: MessageSender) -> None:
    """A worker's second attempt gets the first one's answers for equal commands, and may send others."""
    code = "send('PublishEventCommand', {'event': 'a'})\nsend('LookupWebHookByKeyCommand', {'key': 'late'})"
    for _ in range(2):
        with pytest.raises(Failed):
            await sender.attempt("ExecuteCodeCommand", {"code": code}, "request-1")
    assert await events(sender) == ["a"]
    mended = "send('PublishEventCommand', {'event': 'b'})"
    await sender.attempt("ExecuteCodeCommand", {"code": mended}, "request-1")
    assert await events(sender) == ["a", "b"]


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
async def test_a_failure_says_where_and_why(sender: MessageSender, code: str, sentence: str) -> None:
    """A script that fails says the place and the reason in one sentence."""
    error = await failure(sender, code)
    assert isinstance(error, Failed)
    assert sentence in error.errors[0]


async def test_text_that_is_not_unicode_is_refused(sender: MessageSender) -> None:
    """A result with a lone surrogate is a failure with a reason, not a broken answer."""
    error = await failure(sender, "return chr(0xD800)")
    assert isinstance(error, Failed)


async def test_a_script_is_checked_without_running(sender: MessageSender) -> None:
    """All problems and warnings of a script are returned with their places."""
    found = await sender.send("ValidateCodeCommand", code="a = ().__class__\nb = a.__bases__\n")
    assert not found["isValid"]
    assert [(p["line"], p["code"]) for p in found["problems"]] == [(1, "forbidden"), (2, "forbidden")]
    assert {"line", "column", "endLine", "endColumn", "code", "message"} == set(found["problems"][0])
    fine = await sender.send("ValidateCodeCommand", code="result = paylod")
    assert fine["isValid"]
    assert [w["code"] for w in fine["warnings"]] == ["unknown_name"]


async def test_permissions_are_asked_for(sender: MessageSender) -> None:
    """Running needs code:write, checking code:read."""
    nobody = stranger(permissions=frozenset[str]())
    for name in ("ExecuteCodeCommand", "ValidateCodeCommand"):
        with pytest.raises(Forbidden):
            await sender.send(name, nobody, code="result = 1")


async def test_an_empty_script_is_refused(sender: MessageSender) -> None:
    """Code is required and bounded."""
    for code in ("", "x" * 65_537):
        assert isinstance(await failure(sender, code), Invalid)
    with pytest.raises(NotFound):
        await sender.send("ExecuteCodeCommnd", code="1")


NOTED = (
    "made = send('PublishEventCommand', {'event': 'a.b', 'data': payload})\n"
    "try:\n    send('LookupWebHookByKeyCommand', {'key': 'x'})\nexcept CommandError as error:\n    log(error.code)\n"
    "variables['n'] = random.randint(1, 10**9)\nreturn [made['id'], str(uuid.uuid4()), str(now())]"
)


async def test_a_recorded_run_is_replayed_with_the_same_answer(sender: MessageSender) -> None:
    """A replay has the inputs, seed, clock and answers of then, sends nothing, and comes to the same."""
    ran = await run(sender, NOTED, payload={"n": 1}, variables={"v": 1}, rule="7:1")
    replayed = await sender.send("ReplayCodeCommand", runId=ran["runId"])
    assert (replayed["isSame"], replayed["differences"]) == (True, [])
    assert replayed["run"]["result"] == ran["result"]
    assert replayed["run"]["variables"] == ran["variables"]
    assert await events(sender) == ["a.b"]


async def test_a_changed_script_is_tried_on_a_recorded_run(sender: MessageSender) -> None:
    """A replay of another script says what differs, and sends none of its commands."""
    ran = await run(sender, "send('PublishEventCommand', {'event': 'a'})\nreturn 1")
    changed = await sender.send(
        "ReplayCodeCommand", runId=ran["runId"], code=CAUGHT.format("send('PublishEventCommand', {'event': 'b'})")
    )
    assert not changed["isSame"]
    assert changed["run"]["result"][0] == "replay_differs"
    assert changed["differences"] == [
        "PublishEventCommand is sent where PublishEventCommand was, or with other fields",
        "PublishEventCommand was sent, and is not any more",
        "result differs",
    ]
    assert await events(sender) == ["a"]


async def test_a_failed_run_is_recorded_and_replayed(sender: MessageSender) -> None:
    """What a script failed of is kept with its place, and comes again when it is replayed."""
    await failure(sender, "x = 1\nprint('on the way')\nx / 0", rule="8:1")
    listed = await sender.send("GetCodeRunListQuery", rule="8:1", hasFailed=True, reason="error")
    (shown,) = listed["items"]
    assert shown["failure"] == {
        "reason": "error",
        "message": "ZeroDivisionError: division by zero",
        "line": 3,
        "column": 1,
    }
    replayed = await sender.send("ReplayCodeCommand", runId=shown["runId"])
    assert (replayed["isSame"], replayed["run"], replayed["failure"]["line"]) == (True, None, 3)


async def test_a_run_is_listed_with_what_it_took(sender: MessageSender) -> None:
    """Processor time, memory and commands of every run can be looked up, its script and inputs too."""
    ran = await run(sender, NOTED, payload={"n": 2}, requestId="r-9", rule="9:1")
    (shown,) = (await sender.send("GetCodeRunListQuery", rule="9:1"))["items"]
    assert (shown["cpuSeconds"], shown["peakMemoryBytes"], shown["sends"]) == (
        ran["cpuSeconds"], ran["peakMemoryBytes"], 2
    )  # fmt: skip
    detail = await sender.send("GetCodeRunByIdQuery", runId=ran["runId"])
    assert (detail["code"], detail["inputs"]["payload"]) == (NOTED, {"n": 2})
    assert detail["sent"] == [
        {"command": "PublishEventCommand", "atEnd": False, "refused": False},
        {"command": "LookupWebHookByKeyCommand", "atEnd": False, "refused": True},
    ]
    assert detail["outcome"]["logs"] == ["not_found"]
    with pytest.raises(NotFound):
        await sender.send("GetCodeRunByIdQuery", stranger(), runId=ran["runId"])
    with pytest.raises(NotFound):
        await sender.send("ReplayCodeCommand", stranger(), runId=ran["runId"])


async def test_a_run_too_large_to_be_kept_leaves_its_figures(sender: MessageSender) -> None:
    """Beyond the bound nothing of a run is kept but what it took, and a replay says why there is none."""
    ran = await run(sender, "return len(payload)", payload="x" * 300_000)
    (shown,) = (await sender.send("GetCodeRunListQuery"))["items"]
    assert (shown["runId"], shown["replayable"]) == (ran["runId"], False)
    with pytest.raises(Failed, match="BPM_SCRIPTS__RECORDED_BYTES"):
        await sender.send("ReplayCodeCommand", runId=ran["runId"])


async def test_old_runs_make_room(sender: MessageSender) -> None:
    """No more runs are kept than the settings say, the newest."""
    ids = [(await run(sender, "return 1"))["runId"] for _ in range(5)]
    await sender.database.write(lambda tx: clear_runs(tx, 1, kept=2))
    listed = await sender.send("GetCodeRunListQuery", sortDirection="asc")
    assert sorted(item["runId"] for item in listed["items"]) == sorted(sorted(ids)[-2:])


async def test_commands_for_the_end_are_carried_out_together(sender: MessageSender) -> None:
    """A script's commands for the end are committed when it has ended well, in order, and answer None before."""
    code = "x = [send('PublishEventCommand', {'event': e}, at_end=True) for e in ('a', 'b')]\n1 / payload\nreturn x"
    assert (await run(sender, code, payload=1))["result"] == [None, None]
    assert await events(sender) == ["a", "b"]
    await failure(sender, code, payload=0)
    assert await events(sender) == ["a", "b"]


async def test_one_refused_command_for_the_end_undoes_all(sender: MessageSender) -> None:
    """When a command for the end is refused at the end, none is carried out, and the run has failed."""
    code = (
        "send('PublishEventCommand', {'event': 'a'}, at_end=True)\n"
        "send('PublishEventCommand', {'event': 'b', 'organizationId': 77}, at_end=True)\nreturn 1"
    )
    error = await failure(sender, code, rule="5:1")
    assert "sent at the end, was refused, so nothing was" in error.errors[0]
    assert await events(sender) == []
    (shown,) = (await sender.send("GetCodeRunListQuery", rule="5:1"))["items"]
    assert shown["failure"]["reason"] == "error"


async def test_a_command_for_the_end_is_checked_at_once(sender: MessageSender) -> None:
    """Unknown commands, wrong fields, missing permissions and what reaches outside are refused where they are sent."""
    for command in (
        "send('Nope', {}, at_end=True)",
        "send('PublishEventCommand', {}, at_end=True)",
        "send('ExecuteCodeCommand', {'code': '1'}, at_end=True)",
        "send('GetEventListQuery', {}, at_end=True)",
    ):
        assert isinstance((await run(sender, CAUGHT.format(command)))["result"], list), command
    reader = stranger(permissions=frozenset({"code:write"}))
    code = CAUGHT.format("send('PublishEventCommand', {'event': 'a'}, at_end=True)")
    refused = await sender.send("ExecuteCodeCommand", reader, code=code)
    assert refused["result"][0] == "forbidden"
