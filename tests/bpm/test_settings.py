"""Settings are taken from the environment and from keyword arguments; what is no setting is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from bpm.app.settings import load_settings
from bpm.errors import Misconfigured
from bpm.settings import Settings

NO_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"databse_url": "sqlite:///x.db"}, "BPM_DATABSE_URL"),
    ({"delivery": {"prob": True}}, "BPM_DELIVERY__PROB"),
    ({"acme": {"secret": "x"}}, "BPM_ACME"),
]


@pytest.mark.parametrize(("given", "name"), NO_SETTINGS)
def test_what_is_no_setting_is_refused(given: dict[str, Any], name: str) -> None:
    """A slip of the pen would otherwise leave the default in force; the sentence names the variable."""
    with pytest.raises(Misconfigured) as refused:
        load_settings(**given)
    assert refused.value.errors == (f"{name}: there is no such setting; docs/reference/settings.md lists them",)
    with pytest.raises(ValidationError, match="not permitted"):
        Settings(**given)


def test_a_provider_s_group_is_a_setting_of_the_whole_product_alone() -> None:
    """The platform knows no provider: only the composition root's settings have their groups."""
    assert "mono" in type(load_settings(mono={"webhook_secret": "m0no"})).model_fields
    alone: dict[str, Any] = {"mono": {"webhook_secret": "m0no"}}
    with pytest.raises(ValidationError, match="mono"):
        Settings(**alone)


def test_other_variables_of_the_environment_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools of an operator may have names that begin alike."""
    monkeypatch.setenv("BPM_DEPLOYED_BY", "ann")
    assert load_settings().port == 8000
