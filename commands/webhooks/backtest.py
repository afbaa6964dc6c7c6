"""Back-tests: what a configuration, saved or a draft, would do with the requests captured so far."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Id, Integer, Message, Query, Registry, handles
from bpm.bus.paging import When
from bpm.errors import Invalid, NotFound
from bpm.jobs import Job, JobQueue
from bpm.security.identifiers import new_id
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.signatures import TrustSources
from bpm.store.named_lock import take_named_lock
from commands.webhooks.backtest_views import BackTestView, changed_count
from commands.webhooks.dry_run import READ_REQUESTS, sender_of
from commands.webhooks.shown_fields import TriedFields
from commands.webhooks.subject import TriedConfiguration, find_subject, row_of, subject_problems
from router import backtest
from router.backtest import MAX_COUNT, MAX_KEPT, BackTests, Plan, Tally
from router.execution_types import ExecutionType
from router.request_messages import RequestMessages
from router.rule_compiler import RuleCompiler
from router.tables import configs
from router.tables.configs import RuleRow
from router.tables.requests import STATES
from scripts import Sandbox

AT_ONCE = 1_000
"""Maximum number of requests that are compared while the caller waits; more are compared in the background."""
MAX_OPEN = 4
"""How many back-tests of an organisation may wait or run in the background."""
WITH_SCRIPTS = 200
"""Maximum number of requests that are given to a script."""

Limit = Annotated[Integer, Field(ge=0, le=200)]
Offset = Annotated[Integer, Field(ge=0, le=MAX_KEPT)]


class BackTestWebHookConfigCommand(Command[BackTestView]):
    """Compare what was done with captured requests with what a configuration would do; nothing is executed.

    The configuration is a saved one (`id`), a saved draft (`draftId`), one that is not saved (`config`), or changes to
    a saved one (both). The requests are the last `count` captured for it or at its address, repetitions left out unless
    `states` asks for them; `path` may end in `*`. They need `inbound:read` as well, and what is saved `webhooks:read`.
    Up to 1,000 are compared at once; more in the background, four of an organisation's, and GetBackTestQuery tells how
    far they are. With `runScripts` a configuration that is a script runs it for each of at most 200 requests, and
    undoes it.
    """

    permission = "webhooks:write"
    succeeded = "Webhook configuration back-tested"
    failed = "Back-test failed"
    sources = SOURCE_NAMES
    time_limit = 3_600.0
    sample = {"id": 1, "count": 100}

    id: Id | None = None
    config: TriedFields | None = None
    """A configuration that is not saved, or changes to the one that `id` names."""
    draft_id: Id | None = None
    """A draft that was saved."""
    count: Annotated[Integer, Field(ge=1, le=MAX_COUNT)] = 100
    """How many requests are compared."""
    since: When | None = None
    states: Annotated[list[str], Field(max_length=len(STATES))] = Field(default_factory=list[str])
    """Only requests in these states."""
    path: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """Requests for this path; it may end in `*`."""
    run_scripts: bool = False
    """Whether scripts are run, and undone."""
    limit: Limit = 20
    offset: Offset = 0

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A configuration is needed, states must exist, and scripts take their time."""
        yield from subject_problems(fields)
        states = fields.get("states")
        if isinstance(states, list) and any(state not in STATES for state in states):  # pyright: ignore[reportUnknownVariableType]
            yield f"states: must be some of {', '.join(STATES)}"
        count = fields.get("count", 0)
        if fields.get("runScripts") is True and isinstance(count, int) and count > WITH_SCRIPTS:
            yield f"count: must be at most {WITH_SCRIPTS} when runScripts is true"


@handles
async def back_test(
    command: BackTestWebHookConfigCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
    settings: Settings,
    trust: TrustSources,
    back_tests: BackTests,
    messages: RequestMessages,
    jobs: JobQueue,
) -> BackTestView:
    """Compare now, or write down what is to be compared and ask for the job."""
    subject = await find_subject(command, context, registry, secrets_box)
    findings = await subject.check_code(sandbox, context.organization_id)
    row = await context.read(lambda inside: row_of(subject, findings, inside, registry, secrets_box))
    plan = await context.read(lambda inside: _plan(command, subject, row, inside))
    problems = [*findings.invalid, *findings.conflicts]
    if command.run_scripts:
        if plan.config["execution_type"] != ExecutionType.CODE:
            raise Invalid("runScripts: the configuration is no script; leave it out")
        sender = context.principal
        if not subject.is_own:
            sender = await sender_of(RuleCompiler(registry, secrets_box, settings, trust)(row), messages, context)

        async def run(message: Message[Any]) -> str | None:
            outcome = (await context.rehearse(message, sender)).outcome
            return None if outcome.error is None else "; ".join(outcome.error.errors)

        return _at_once(command, await back_tests.rehearse(plan, run), problems)
    if command.count <= AT_ONCE:
        return _at_once(command, await back_tests.compare(plan), problems)
    return await context.conclude(lambda inside: _in_background(plan, problems, inside, jobs))


class GetBackTestQuery(Query[BackTestView]):
    """Say how far a back-test is that runs in the background, and what it has found; `changed` comes at the end.

    The first 1,000 changed requests are kept, for as long as bodies are.
    """

    permission = "webhooks:write"
    succeeded = "Back-test retrieved successfully"
    failed = "Back-test not found"

    back_test_id: Annotated[str, Field(min_length=1, max_length=100)]
    """The id of the back-test."""
    limit: Limit = 20
    offset: Offset = 0


@handles
def get_back_test(query: GetBackTestQuery, context: Context) -> BackTestView:
    """Look it up."""
    context.require(context.principal, READ_REQUESTS, "Comparing captured requests")
    row = backtest.find_back_test(context.tx, context.organization_id, query.back_test_id)
    if row is None:
        raise NotFound("No back-test found with the specified ID")
    return BackTestView.of(row, query.limit, query.offset)


def _plan(command: BackTestWebHookConfigCommand, subject: TriedConfiguration, row: RuleRow, context: Context) -> Plan:
    context.require(context.principal, READ_REQUESTS, "Comparing captured requests")
    before = None
    if subject.config is not None and subject.id is not None:
        before = configs.config_by_id(context.tx, context.organization_id, subject.id)
    return Plan(
        context.organization_id,
        config=backtest.snapshot_of(row),
        before=backtest.snapshot_of(RuleRow.of(before)) if before is not None else None,
        count=command.count,
        since=command.since.isoformat() if command.since is not None else None,
        states=tuple(command.states),
        path=command.path,
    )


def _at_once(command: BackTestWebHookConfigCommand, tally: Tally, problems: list[str]) -> BackTestView:
    changed = tally.changed[command.offset : command.offset + command.limit]
    return BackTestView.model_validate(
        {
            "state": "done",
            "total": tally.compared,
            **tally.values(),
            "changed_count": changed_count(tally.counts),
            "changed": [asdict(difference) for difference in changed],
            "problems": problems,
        }
    )


def _in_background(plan: Plan, problems: list[str], context: Context, jobs: JobQueue) -> BackTestView:
    take_named_lock(context.tx, f"back-tests of organisation {context.organization_id}")
    if backtest.count_open(context.tx, context.organization_id) >= MAX_OPEN:
        raise Invalid(f"count: {MAX_OPEN} back-tests run in the background already; wait until one has ended")
    row = backtest.new_back_test(plan, context.principal, new_id(), context.now())
    backtest.insert_back_test(context.tx, row)
    jobs.enqueue(context.tx, Job(backtest.KIND, row["id"], 0, context.now(), context.organization_id))
    return BackTestView(
        back_test_id=row["id"],
        state=row["state"],
        counts={},
        unchecked={},
        changed_count=0,
        changed=[],
        problems=problems,
    )
