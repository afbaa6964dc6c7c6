"""Alert rules and dashboard: they name what there is, and each alert fires when it should and not before."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import running_app

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "bpm-bus.json"
NAME = re.compile(r"\bbpm_\w+")
PARTS = re.compile(r"_(bucket|sum|count)$")
FAMILY = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)

OPTIONAL = {"bpm_spans_total"}
"""Metrics of what is off unless a setting turns it on."""


@pytest.fixture(scope="module")
async def families(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """The names at `/metrics`, with their kinds."""
    async with running_app(tmp_path_factory.mktemp("watched"), worker=False) as app:
        scraped = await app.request("GET", "/metrics", headers={"Authorization": f"Bearer {app.token}"})
        yield dict(FAMILY.findall(scraped.body))


async def test_rules_and_dashboard_name_what_there_is(families: dict[str, str]) -> None:
    """A metric that was renamed would leave an alert silent for ever."""
    named = set(NAME.findall(ALERTS.read_text())) | set(NAME.findall(DASHBOARD.read_text()))
    histograms = {name for name, kind in families.items() if kind == "histogram"}
    assert {name for name in named if name not in families and PARTS.sub("", name) not in histograms} == set()
    assert {PARTS.sub("", name) for name in named} >= set(families), "the dashboard shows everything"


async def test_the_page_explains_every_metric(families: dict[str, str]) -> None:
    """And nothing that there is not."""
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    assert set(NAME.findall(page)) == {*families, *OPTIONAL}


def test_the_page_names_every_alert() -> None:
    """What calls somebody at night stands in the table of the how-to."""
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    page = (ROOT / "docs" / "how-to" / "watch.md").read_text()
    assert re.findall(r"^\| `(Bpm\w+)`", page, re.MULTILINE) == alerts


def test_every_alert_is_tried_firing_and_silent() -> None:
    """The rules' tests leave none out."""
    tried = (DEPLOY / "prometheus" / "alerts_test.yml").read_text()
    for alert in re.findall(r"- alert: (\w+)", ALERTS.read_text()):
        assert re.search(rf"alertname: {alert}, exp_alerts: \[\]", tried), f"{alert} is not seen silent"
        assert re.search(rf"alertname: {alert}\n\s+exp_alerts:\n\s+- exp_labels", tried), f"{alert} is not seen firing"


def test_alerts_fire_and_stay_silent_as_they_should() -> None:
    """Prometheus's own tool evaluates the rules against recorded series."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (make promtool)")
    command = [promtool, "test", "rules", "alerts_test.yml"]
    tried = subprocess.run(command, cwd=ALERTS.parent, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_the_dashboard_fits_on_its_grid() -> None:
    """Every panel has a place of its own, within the 24 columns."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
