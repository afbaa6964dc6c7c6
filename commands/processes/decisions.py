"""Deploy DMN decisions, look them up, and try them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.exc import IntegrityError

from bpm.bus import Command, Context, EffectContext, Id, Moment, Page, PagedQuery, Query, View, handles
from bpm.dmn import Decision, DecisionFailed, decide, load_decisions
from bpm.errors import Conflict, Invalid, NotFound
from bpm.process.decision_tables import DeployedDecision, find_decision, newest_decision, select_decisions
from bpm.process.runtime import ProcessRuntime
from bpm.process.sealing import stored_source
from bpm.security.secret_names import SOURCE_NAMES
from bpm.threads import in_thread
from commands.processes.shown_source import shown_source
from commands.processes.staleness import AfterVersion, refuse_stale

Xml = Annotated[str, Field(min_length=1, max_length=1024 * 1024)]


class DecisionView(View):
    """One version of a decision; `key` is its id in the DMN file."""

    id: int
    key: str
    """The id of the decision in its file."""
    version: int
    name: str
    version_tag: str | None = None
    created_at: Moment


SAMPLE = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="limits" name="Limits"
             namespace="example">
  <decision id="limit" name="Limit">
    <literalExpression><text>if customer = "new" then 100 else 1000</text></literalExpression>
  </decision>
</definitions>
"""
"""The example that the catalogue shows."""


class CreateDecisionDefinitionCommand(Command[list[DecisionView]]):
    """Deploy the decisions of a DMN 1.3 file; each one known already gets its next version.

    Business rule tasks evaluate the newest version. Everything that would not be evaluated is refused, each problem
    with its element's id and line.
    """

    permission = "processes:write"
    succeeded = "Decisions deployed successfully"
    sources = SOURCE_NAMES
    failed = "Validation failed"
    sample = {"dmnXml": SAMPLE}

    dmn_xml: Xml
    """The text of a DMN 1.3 file."""
    after_version: AfterVersion = None
    """The newest version of the file's first decision that you have seen, 0 for none: refused if there is a newer."""


@handles
async def create(
    command: CreateDecisionDefinitionCommand, context: EffectContext, processes: ProcessRuntime
) -> list[DecisionView]:
    """Read the file, and keep the next version of each decision."""
    decisions = await in_thread(context.organization_id, partial(load_decisions, command.dmn_xml))
    return await context.conclude(lambda inner: _deploy(command, inner, decisions, processes))


def _deploy(
    command: CreateDecisionDefinitionCommand,
    context: Context,
    decisions: Mapping[str, Decision],
    processes: ProcessRuntime,
) -> list[DecisionView]:
    rows: list[DeployedDecision] = []
    xml = stored_source(command.dmn_xml, context.box)
    for number, decision in enumerate(decisions.values()):
        newest = newest_decision(context.session, decision.id)
        if number == 0:
            refuse_stale(decision.id, command.after_version, newest.version if newest else 0)
        row = DeployedDecision(
            key=decision.id,
            version=newest.version + 1 if newest is not None else 1,
            name=decision.name,
            version_tag=decision.version_tag or None,
            dmn_xml=xml,
            author_id=context.principal.id,
            authority=context.principal.standing.to_json(),
            created_at=context.now(),
        )
        context.session.add(row)
        rows.append(row)
    try:
        with context.tx.savepoint():
            context.session.flush()
            shown = [DecisionView.model_validate(row) for row in rows]
    except IntegrityError as error:
        raise Conflict("another version was deployed at the same moment; try again") from error
    processes.deployed.keep_decisions(context.tx, [view.id for view in shown], decisions, len(xml))
    return shown


class GetDecisionDefinitionListQuery(PagedQuery[Page[DecisionView]]):
    """List the versions of decisions."""

    permission = "processes:read"
    succeeded = "Decisions retrieved successfully"

    key: str | None = None
    """Those of this decision, by its id in the file."""


@handles
def list_decisions(query: GetDecisionDefinitionListQuery, context: Context) -> Page[DecisionView]:
    """Return one page, the newest first."""
    columns = {"createdAt": "created_at", "id": "id", "key": "key", "version": "version"}
    statement = select_decisions(query.key)
    search = ("key", "name")
    show = DecisionView.model_validate
    return query.page(
        context, statement, DeployedDecision, show, search=search, sortable=columns, unloaded=("dmn_xml",)
    )


class DecisionDetailView(DecisionView):
    """One version of a decision with its file, which may hold others as well."""

    dmn_xml: str
    """The text of the file; of who may not deploy, secrets in it are hidden."""


class GetDecisionDefinitionByIdQuery(Query[DecisionDetailView]):
    """Get one version of a decision with its DMN file."""

    permission = "processes:read"
    succeeded = "Decision retrieved successfully"
    failed = "Decision not found"

    id: Id


@handles
def get(query: GetDecisionDefinitionByIdQuery, context: Context) -> DecisionDetailView:
    """Return its file; secrets in it only to those who may deploy."""
    row = get_decision(context, query.id)
    return DecisionDetailView.model_validate({**row.model_dump(), "dmn_xml": shown_source(row.dmn_xml, context)})


def get_decision(context: Context, definition_id: int) -> DeployedDecision:
    """Return a version of the caller's organisation, or raise `NotFound`."""
    row = find_decision(context.session, definition_id)
    if row is None:
        raise NotFound(f"there is no decision definition {definition_id}")
    return row


class DecisionResultView(View):
    """What a decision came to, in DMN's own shape."""

    result: Any
    """What it came to: a value, a map or a list of maps."""


class EvaluateDecisionQuery(Query[DecisionResultView]):
    """Evaluate the newest version of a decision with these variables; nothing is kept."""

    permission = "processes:read"
    succeeded = "DecisionTable evaluated successfully"
    failed = "Evaluation failed"

    key: Annotated[str, Field(min_length=1, max_length=200)]
    """The id of the decision in its file."""
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def evaluate(query: EvaluateDecisionQuery, context: Context, processes: ProcessRuntime) -> DecisionResultView:
    """Evaluate its newest version with the given variables."""
    try:
        result = decide(processes.deployed.decision(context, query.key).decision, query.variables, context.now())
    except DecisionFailed as error:
        raise Invalid(str(error)) from error
    return DecisionResultView(result=result)
