"""Runs the tests of a folder without a server: the same judgement, mapping and sandbox as live traffic has."""

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from bpm.app.settings import load_settings
from bpm.bus import Message, Registry
from bpm.cli.files.cases import START, CaseRequest, DecisionCase, PlacedCase, RuleCase
from bpm.cli.files.folder import Folder
from bpm.dmn import DecisionFailed, decide, load_decisions
from bpm.errors import BpmError
from bpm.exact_json import plain, write_json
from bpm.expressions import CLOCK, SEED, EvaluationError
from bpm.security.permissions import INSTALLATION, SYSTEM
from bpm.security.secrets import SecretBox
from bpm.signatures import RequestAddress, SignedRequest, sign_request
from commands.configuration.parts import ConfigurationFields, RuleDocument, fields_of_rule
from commands.webhooks.chains import Chain, ExecuteCommandChainCommand
from router.config import WebHookFields, definition_of
from router.config_secrets import seal_definition
from router.decision import Decision, Place, decide_whole
from router.paths import ADDRESSES
from router.request import InboundCall
from router.route_table import Routes
from router.rule_compiler import RuleCompiler
from router.tables.configs import RuleRow
from scripts import Run, Sandbox

KEY = b"the rules of a folder that is tested"
"""Seals the definitions, as in a store."""

Sent = list[tuple[str, Mapping[str, Any]]]


class Bench:
    """The rules and decisions of a folder, to be tried; used as an async context manager."""

    def __init__(self, folder: Folder, registry: Registry) -> None:
        """Take a folder that was checked."""
        checked = cast("ConfigurationFields", registry.decode("PlanConfigurationQuery", folder.fields))
        self._registry = registry
        self._files = folder.files
        self._parts = [part for part in checked.parts if isinstance(part, RuleDocument)]
        self._decisions = {part.key: part.file for part in checked.parts if part.kind == "decision"}
        self._processes = sorted({part.process for part in self._parts if part.process is not None})
        self._sandbox = Sandbox(allow_unconfined=True)

    async def __aenter__(self) -> "Bench":
        """Start the sandbox if there is a script."""
        if any(part.script is not None for part in self._parts):
            await self._sandbox.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self._sandbox.close()

    async def problems(self, placed: PlacedCase) -> list[str]:
        """Return in what a test fails."""
        if isinstance(placed.case, DecisionCase):
            return list(self._problems_of_decision(placed.case))
        with _environment(placed.case.environment):
            return await self._problems_of_rule(placed.case)

    def _problems_of_decision(self, case: DecisionCase) -> Iterator[str]:
        file = self._decisions.get(case.decision)
        if file is None:
            yield f"no file holds a decision {case.decision}"
            return
        try:
            result = decide(load_decisions(self._files[file])[case.decision], case.variables, START)
        except DecisionFailed as error:
            yield str(error)
            return
        yield from _unlike("result", case.result, result)

    async def _problems_of_rule(self, case: RuleCase) -> list[str]:
        routes = self._routes()
        call = self._call(case.request, routes)
        decision = decide_whole(call, Place(routes.rules_at(call.path)))
        verdict, expected = decision.verdict, case.expect
        told = "passed" if verdict.passed else str(verdict.cause)
        if told != expected.verdict:
            return [f"verdict: {told} ({verdict.detail or 'the request is right'}), not {expected.verdict}"]
        taker = decision.rule.key if decision.rule is not None else None
        problems = list(_unlike("rule", expected.rule, taker)) if expected.rule is not None else []
        return problems + (await self._problems_of_message(case, decision, call) if verdict.passed else [])

    async def _problems_of_message(self, case: RuleCase, decision: Decision, call: InboundCall) -> list[str]:
        rule, expected = decision.rule, case.expect
        assert rule is not None
        try:
            message = rule.message(call)
        except (BpmError, EvaluationError, ValueError) as error:
            return list(error.errors) if isinstance(error, BpmError) else [str(error)]
        name, fields = self._registry.of(message).name, plain(message, exclude_unset=True)
        problems = list(_unlike("command", expected.command, name)) if expected.command is not None else []
        problems += _missing("fields", expected.fields, fields)
        if expected.process is not None:
            number = fields.get("processDefinitionId") or 0
            problems += _unlike("process", expected.process, dict(enumerate(self._processes, 1)).get(number))
        sent, result, failure = await self._sent(message, case)
        if failure is not None:
            problems.append(failure)
        if expected.sends is not None:
            names = [name for name, _ in sent]
            problems += _unlike("sends", [each.command for each in expected.sends], names)
            for index, (wanted, (_, given)) in enumerate(zip(expected.sends, sent, strict=False)):
                problems += _missing(f"sends[{index}].fields", wanted.fields, given)
        if expected.result is not None:
            problems += _unlike("result", expected.result, result)
        return problems

    async def _sent(self, message: Message[Any], case: RuleCase) -> tuple[Sent, Any, str | None]:
        """Run a script or chain; return what it sends, its result, and why it failed."""
        sent: Sent = []
        if isinstance(message, ExecuteCommandChainCommand):
            return sent, None, self._walk(message, case, sent)
        code = cast("Any", message)
        if self._registry.of(message).name != "ExecuteCodeCommand":
            return sent, None, None

        async def send(name: str, fields: dict[str, Any]) -> Any:
            self._registry.decode(name, fields)
            sent.append((name, fields))
            return case.answers.get(name)

        try:
            run: Run = await self._sandbox.run(
                code.code, code.inputs("test"), send=send, send_at_end=send, seed=1, now=case.request.at
            )
        except BpmError as error:
            return sent, None, "; ".join(error.errors)
        failure = run.failure
        place = "" if failure is None or failure.line is None else f"line {failure.line}: "
        return sent, run.result, None if failure is None else f"the script failed: {place}{failure.message}"

    def _walk(self, command: ExecuteCommandChainCommand, case: RuleCase, sent: Sent) -> str | None:
        walk = Chain(command, self._registry, {CLOCK: case.request.at, SEED: "test"}).walk()
        try:
            sending = next(walk)
            while True:
                registration = self._registry.of(sending.message)
                sent.append((registration.name, plain(sending.message, exclude_unset=True)))
                answer = case.answers.get(registration.name)
                sending = walk.send(registration.result.validate_python(answer) if answer is not None else None)
        except StopIteration:
            return None
        except BpmError as error:
            return "; ".join(error.errors)

    def _routes(self) -> Routes:
        """Return the rules with the secrets of the environment as it is."""
        box = SecretBox(KEY)
        routes = Routes(RuleCompiler(self._registry, box, load_settings()))
        for number, part in enumerate(self._parts, 1):
            routes.add(self._row(part, number, box))
        return routes

    def _row(self, part: RuleDocument, number: int, box: SecretBox) -> RuleRow:
        fields = fields_of_rule(part, self._files)
        if part.process is not None:
            fields["processDefinitionId"] = self._processes.index(part.process) + 1
        whole = WebHookFields.model_validate_json(write_json(fields), by_alias=True, by_name=False)
        return RuleRow(
            id=number,
            key=part.key,
            organization_id=INSTALLATION,
            revision=1,
            description=part.description,
            is_enabled=part.is_enabled,
            path=part.path,
            action=part.action,
            execution_type=int(part.execution_type),
            definition=seal_definition(definition_of(whole), box),
            author_id=SYSTEM.id,
            run_as_id=None,
            permissions=sorted(SYSTEM.permissions),
        )

    def _call(self, request: CaseRequest, routes: Routes) -> InboundCall:
        """Return the request, signed as its rule asks."""
        path = request.path
        for prefix in ADDRESSES:
            path = path.removeprefix(prefix)
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.body.encode() if isinstance(request.body, str) else b""
        if request.body is not None and not isinstance(request.body, str):
            body = write_json(request.body)
            headers.setdefault("content-type", "application/json")
        call = InboundCall(
            method=request.method.upper(),
            path=path.strip("/"),
            headers=headers,
            query_string=request.query.removeprefix("?"),
            address=request.address,
            received_at=request.at,
            body=body,
            id="test",
        )
        return _signed(call, routes) if request.signed else call


def _signed(call: InboundCall, routes: Routes) -> InboundCall:
    """Return a request with the proof that the first rule at its address asks for, if it can be made."""
    for rule in routes.rules_at(call.path):
        if rule.fields.signature is None or call.method not in rule.methods:
            continue
        address = RequestAddress(call.method, f"{ADDRESSES[0]}{call.path}", call.query_string, rule.base_url)
        try:
            proven = sign_request(
                rule.fields.signature,
                SignedRequest(call.body, call.headers, address),
                call.received_at.timestamp(),
                resolve=rule.resolve,
            )
        except ValueError:
            return call
        call.headers = {**call.headers, **{name.lower(): value for name, value in proven.headers.items()}}
        call.query_string, call.body = proven.query, proven.body
        return call
    return call


@contextmanager
def _environment(variables: Mapping[str, str]) -> Generator[None]:
    """Have these variables for a while: that is how references are read."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _unlike(place: str, expected: Any, found: Any) -> Iterator[str]:
    if write_json(expected) != write_json(found):
        yield f"{place}: is {write_json(found).decode()}, not {write_json(expected).decode()}"


def _missing(place: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        if name not in found:
            yield f"{place}.{name}: is missing; there are {', '.join(found) or 'no fields'}"
        else:
            yield from _unlike(f"{place}.{name}", value, found[name])
