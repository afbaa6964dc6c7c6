"""Features are switched by the installation and seen by the organisation."""

import pytest

from bpm.errors import Forbidden, Invalid
from tests.commands.conftest import House, stranger

pytestmark = pytest.mark.anyio


async def test_a_feature_is_on_until_it_is_switched_off(house: House) -> None:
    """It is switched for one organisation, again and again, and no other notices."""
    assert await house.send("GetFeaturesQuery", stranger()) == {"organizationId": 2, "webhooks": True}
    for is_on in (False, True, False):
        made = await house.send("SwitchFeatureCommand", feature="webhooks", isOn=is_on, organizationId=2)
        assert made == {"organizationId": 2, "webhooks": is_on}
        assert (await house.send("GetFeaturesQuery", stranger()))["webhooks"] is is_on
    assert (await house.send("GetFeaturesQuery"))["webhooks"] is True
    assert (await house.send("SwitchFeatureCommand", feature="webhooks", isOn=False))["organizationId"] == 1


async def test_an_organisation_does_not_help_itself(house: House) -> None:
    """Not even its administrators switch; and only what there is can be switched."""
    with pytest.raises(Forbidden, match="administrators of the installation"):
        await house.send("SwitchFeatureCommand", stranger(), feature="webhooks", isOn=True)
    with pytest.raises(Invalid, match="feature: "):
        await house.send("SwitchFeatureCommand", feature="rockets", isOn=True)
