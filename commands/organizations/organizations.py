"""Organisations: made, changed and switched off by the installation's administrators, seen by their own."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from bpm.accounts import Accounts
from bpm.accounts.limits import limit_of
from bpm.bus import Command, Context, EffectContext, Id, Integer, Moment, Page, PagedQuery, Query, View, handles
from bpm.bus.messages import WireModel
from bpm.errors import Conflict, NotFound
from bpm.events.recovery_tables import begin_to_resume
from bpm.security.permissions import INSTALLATION
from bpm.settings import Settings
from bpm.store import organizations
from bpm.store.organizations import Organization
from router.execution import Execution
from router.route_table import RouteTable

MISSING = "No organisation found with the specified ID"
TAKEN = "An organisation with this name already exists"

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
Description = Annotated[str, Field(max_length=500)]
Limit = Annotated[Integer, Field(ge=1, le=1_000_000)]


class Features(WireModel):
    """What an organisation has or has not: `webhooks` is PlanDocket's interface, `ruleReview` a second pair of eyes."""

    webhooks: bool | None = None
    """Whether it has PlanDocket's interface."""
    rule_review: bool | None = None
    """Whether rules change only by drafts that somebody else publishes."""


class FeaturesView(View):
    """What an organisation has: `webhooks` is PlanDocket's interface, `ruleReview` a second pair of eyes."""

    webhooks: bool
    """Whether it has PlanDocket's interface."""
    rule_review: bool
    """Whether rules change only by drafts that somebody else publishes."""


class OrganizationView(View):
    """An organisation; a limit that is null is the installation's own."""

    id: int
    name: str
    description: str
    is_active: bool
    features: FeaturesView
    """What it has."""
    max_subscriptions: int | None
    max_users: int | None
    max_webhooks: int | None
    created_at: Moment
    updated_at: Moment | None
    deactivated_at: Moment | None
    """When it was switched off; null while it is on."""


class CreateOrganizationCommand(Command[OrganizationView]):
    """Make an organisation; its accounts, rules, subscriptions and processes are seen by its own accounts alone.

    A limit that is left out is the installation's (`BPM_DELIVERY__MAX_SUBSCRIPTIONS`, `BPM_ORGANIZATIONS__…`). Give it
    an administrator with CreateUserCommand and this `id` as `organizationId`.
    """

    permission = "organizations:write"
    succeeded = "Organisation created successfully"
    failed = "Validation failed"

    name: Name
    description: Description = ""
    features: Features = Field(default_factory=Features)
    """What it has."""
    max_subscriptions: Limit | None = None
    max_users: Limit | None = None
    max_webhooks: Limit | None = None


@handles
def create(command: CreateOrganizationCommand, context: Context) -> OrganizationView:
    """Store it."""
    row = Organization(created_at=context.now(), **_columns(command, {}))
    return _save_or_409(row, context)


class UpdateOrganizationCommand(Command[OrganizationView]):
    """Change an organisation; what is left out stays, null takes a limit away."""

    permission = "organizations:write"
    succeeded = "Organisation updated successfully"
    failed = "Update failed"
    sample = {"id": 1, "description": "Whom it belongs to"}

    id: Id
    name: Name = ""
    description: Description = ""
    features: Features = Field(default_factory=Features)
    """What it has from now on."""
    max_subscriptions: Limit | None = None
    max_users: Limit | None = None
    max_webhooks: Limit | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Something must change."""
        if set(fields) <= {"id"}:
            yield "nothing is given that could change; give name, description, features or a limit"


@handles
def update(command: UpdateOrganizationCommand, context: Context) -> OrganizationView:
    """Store what was given."""
    row = _get_or_404(command.id, context)
    row.sqlmodel_update(_columns(command, row.features))
    row.updated_at = context.now()
    return _save_or_409(row, context)


class DeactivateOrganizationCommand(Command[OrganizationView]):
    """Switch an organisation off: nobody of it comes in, its webhooks answer 404, and what it has to do waits.

    What was accepted is not lost: deliveries are paused, timers and jobs wait for its activation. What comes to its
    webhooks is kept in quarantine, up to the room of a day (`BPM_QUARANTINE__…`).
    """

    permission = "organizations:write"
    succeeded = "Organisation deactivated successfully"
    failed = "Deactivation failed"

    id: Id


@handles
async def deactivate(
    command: DeactivateOrganizationCommand, context: EffectContext, accounts: Accounts, routes: RouteTable
) -> OrganizationView:
    """Switch it off, here before the answer is sent, elsewhere within a second."""
    view = await context.conclude(lambda inside: _switch_off(command.id, inside, accounts))
    await routes.refresh()
    return view


def _switch_off(organization_id: int, context: Context, accounts: Accounts) -> OrganizationView:
    row = _get_or_404(organization_id, context)
    if row.id == INSTALLATION:
        raise Conflict("The installation's own organisation can't be deactivated")
    if row.deactivated_at is not None:
        raise Conflict("Organisation is already inactive")
    row.deactivated_at = context.now()
    context.tx.forget()
    context.after_commit(accounts.forget)
    return _save_or_409(row, context)


class ActivateOrganizationCommand(Command[OrganizationView]):
    """Switch an organisation on again: its accounts come in, and what waited goes on, the oldest delivery first."""

    permission = "organizations:write"
    succeeded = "Organisation activated successfully"
    failed = "Activation failed"
    time_limit = 3_600.0

    id: Id


@handles
async def activate(
    command: ActivateOrganizationCommand,
    context: EffectContext,
    accounts: Accounts,
    routes: RouteTable,
    execution: Execution,
) -> OrganizationView:
    """Switch it on, and let every subscription take up what was kept for it, and requests be executed."""
    view = await context.conclude(lambda inside: _switch_on(command.id, inside, accounts))
    await routes.refresh()
    await execution.wake()
    return view


def _switch_on(organization_id: int, context: Context, accounts: Accounts) -> OrganizationView:
    row = _get_or_404(organization_id, context)
    if row.deactivated_at is None:
        raise Conflict("Organisation is already active")
    row.deactivated_at = None
    view = _save_or_409(row, context)
    acting = replace(context.principal, organization_id=organization_id)
    for subscription_id in begin_to_resume(context.tx, organization_id):
        context.later("ResumeDeliveriesCommand", {"subscriptionId": subscription_id}, principal=acting)
    context.tx.forget()
    context.after_commit(accounts.forget)
    return view


class GetOrganizationListQuery(PagedQuery[Page[OrganizationView]]):
    """List organisations; `searchText` looks into their names and descriptions."""

    permission = "organizations:read"
    succeeded = "Organisations retrieved successfully"

    is_active: bool | None = None


@handles
def list_organizations(query: GetOrganizationListQuery, context: Context) -> Page[OrganizationView]:
    """Return one page."""
    statement = organizations.select_organizations(is_active=query.is_active)
    columns = {"createdAt": "created_at", "id": "id", "name": "name"}
    words = ("name", "description")
    return query.page(context, statement, Organization, _to_view, search=words, sortable=columns)


class GetOrganizationByIdQuery(Query[OrganizationView]):
    """Return one organisation."""

    permission = "organizations:read"
    succeeded = "Organisation retrieved successfully"
    failed = "Organisation not found"

    id: Id


@handles
def get(query: GetOrganizationByIdQuery, context: Context) -> OrganizationView:
    """Look it up."""
    return _to_view(_get_or_404(query.id, context))


class OwnOrganizationView(View):
    """Your organisation, with the limits that hold for it; null is any number."""

    id: int
    name: str
    features: FeaturesView
    """What it has."""
    max_subscriptions: int | None
    max_users: int | None
    max_webhooks: int | None


class GetOwnOrganizationQuery(Query[OwnOrganizationView]):
    """Return the organisation that you act for: its name, its features and its limits."""

    permission = None
    succeeded = "Organisation retrieved successfully"
    failed = "Organisation not found"


@handles
def get_own(query: GetOwnOrganizationQuery, context: Context, settings: Settings) -> OwnOrganizationView:
    """Look it up."""
    row = _get_or_404(context.organization_id, context)
    return OwnOrganizationView(
        id=context.organization_id,
        name=row.name,
        features=_features(row),
        max_subscriptions=limit_of(context.tx, context.organization_id, "subscriptions", settings),
        max_users=limit_of(context.tx, context.organization_id, "users", settings),
        max_webhooks=limit_of(context.tx, context.organization_id, "webhooks", settings),
    )


def _get_or_404(organization_id: int, context: Context) -> Organization:
    row = organizations.organization(context.tx, organization_id)
    if row is None:
        raise NotFound(MISSING)
    return row


def _columns(command: CreateOrganizationCommand | UpdateOrganizationCommand, features: Mapping[str, bool]) -> Any:
    """Return what was given as columns; `features` are those that were switched before."""
    switched = command.features.model_dump(exclude_none=True)
    given = command.model_dump(exclude_unset=True, exclude={"id", "features"})
    return {**given, "features": {**features, **switched}}


def _save_or_409(row: Organization, context: Context) -> OrganizationView:
    if not organizations.keep_organization(context.tx, row):
        raise Conflict(TAKEN)
    return _to_view(row)


def _to_view(row: Organization) -> OrganizationView:
    about = row.model_dump(exclude={"features"})
    return OrganizationView(**about, is_active=row.deactivated_at is None, features=_features(row))


def _features(row: Organization) -> FeaturesView:
    return FeaturesView.model_validate({**organizations.USUAL_FEATURES, **row.features})
