"""Features that an organisation has or has not, as the installation's own administrators decide."""

from bpm.accounts import feature_tables
from bpm.accounts.feature_tables import FeatureName
from bpm.bus import Command, Context, Id, Query, View, handles
from bpm.errors import Forbidden
from bpm.store.rows import INSTALLATION


class FeaturesView(View):
    """What an organisation has; `webhooks` is PlanDocket's interface."""

    organization_id: int
    webhooks: bool


class SwitchFeatureCommand(Command[FeaturesView]):
    """Switch a feature on or off for an organisation, the caller's own unless `organizationId` says another.

    Only the installation's own organisation may do so. What nobody has switched is on.
    """

    permission = "features:write"
    succeeded = "Feature switched successfully"
    failed = "The feature could not be switched"

    feature: FeatureName
    is_on: bool
    organization_id: Id | None = None


@handles
def switch(command: SwitchFeatureCommand, context: Context) -> FeaturesView:
    """Switch it; the next request counts by it, in every process."""
    if context.organization_id != INSTALLATION:
        raise Forbidden("features are switched by the administrators of the installation")
    organization_id = command.organization_id or context.organization_id
    feature_tables.switch(context.tx, organization_id, command.feature, context.now(), on=command.is_on)
    return _features(organization_id, context)


class GetFeaturesQuery(Query[FeaturesView]):
    """Return which features the caller's organisation has."""

    permission = None
    succeeded = "Features retrieved successfully"


@handles
def get(query: GetFeaturesQuery, context: Context) -> FeaturesView:
    """Look them up."""
    return _features(context.organization_id, context)


def _features(organization_id: int, context: Context) -> FeaturesView:
    return FeaturesView(
        organization_id=organization_id, webhooks=feature_tables.is_on(context.tx, organization_id, "webhooks")
    )
