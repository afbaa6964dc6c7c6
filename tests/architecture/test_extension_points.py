"""What the README says is to be touched for something new is all that has to be touched."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from pytest_httpserver import HTTPServer

from bpm.app.providers import provider_addresses
from bpm.app.retention import policies
from bpm.app.settings import load_settings, settings_type
from bpm.bpmn import Instance, Status, advance, load
from bpm.bpmn.elements.tasks.manual_task import ManualTask
from bpm.bpmn.triggers import Start
from bpm.bus import Registry
from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.signatures import SignatureConfig, presets
from bpm.testing.app import running_app
from bpm.web.openapi import OpenApi
from router import paths, providers
from router.config import WebHookFields
from router.config_demands import demands
from router.dispatch import dispatcher
from router.execution_types import EXECUTION_TYPES, ExecutionKind, ExecutionType
from router.providers import Provider
from tests.architecture.pages import DOCS, python_of
from tests.bpm.bpmn.player import NOON, flows, model

AREA = {
    "__init__.py": '"""Parcels: where they are."""\n',
    "tables.py": '''"""Parcels, in metadata of their own, so that no other test sees them."""

from sqlalchemy import Column, Integer, MetaData, String, Table

from bpm.store import UtcDateTime

PARCELS = Table(
    "parcel",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("organization_id", Integer),
    Column("created_at", UtcDateTime),
)
''',
    "retention.py": '''"""Parcels go when they are old."""

from bpm.store.retention import Policy
from parcels.tables import PARCELS

POLICIES = (Policy("parcels", "rows_days", table=PARCELS, key=PARCELS.c.id, moment=PARCELS.c.created_at),)
''',
    "track.py": '''"""Track a parcel."""

from bpm.bus import Command, Context, View, handles


class ParcelView(View):
    """Where a parcel is."""

    place: str


class TrackParcelCommand(Command[ParcelView]):
    """Say where a parcel is."""

    permission = "parcels:write"

    number: str


@handles
def track(command: TrackParcelCommand, context: Context) -> ParcelView:
    """Look it up."""
    return ParcelView(place="Lagos")
''',
}

ASKING = '''"""Ask Acme."""

from bpm.bus import Command, EffectContext, handles
from router.providers.acme import AcmeApi


class AskAcmeCommand(Command[str]):
    """Ask Acme what has become of a shipment."""

    permission = "payments:write"

    shipment: str


@handles
async def ask(command: AskAcmeCommand, context: EffectContext, acme: AcmeApi) -> str:
    """Ask now."""
    return await acme.status(command.shipment)
'''


@pytest.fixture
def area(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of an application: a command, a table and its retention, named nowhere else."""
    folder = tmp_path / "parcels"
    folder.mkdir()
    for name, text in AREA.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield "parcels"
    for name in [name for name in sys.modules if name.partition(".")[0] == "parcels"]:
        del sys.modules[name]


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The provider of the recipe as one more file of `router.providers`."""
    (tmp_path / "acme.py").write_text(python_of(DOCS / "how-to" / "write-a-provider.md"))
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
    paths.reserved_paths.cache_clear()
    yield "acme"
    sys.modules.pop("router.providers.acme", None)
    monkeypatch.delattr(providers, "acme", raising=False)
    monkeypatch.undo()
    paths.reserved_paths.cache_clear()


@pytest.fixture
def asking(provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of an application with a command that asks the provider of the recipe back."""
    (tmp_path / "asking_acme.py").write_text(ASKING)
    monkeypatch.syspath_prepend(tmp_path)
    yield "asking_acme"
    sys.modules.pop("asking_acme", None)


def test_a_command_is_one_file(area: str) -> None:
    """It is in the catalogue, and in the API's description with its docstring, once its package is named."""
    registry = Registry()
    registry.discover("commands")
    registry.discover(area)
    assert registry.find("TrackParcelCommand").area == "track"
    document = OpenApi(registry, "1").document()
    assert document["components"]["schemas"]["TrackParcelCommand"]["description"] == "Say where a parcel is."


def test_an_area_declares_its_retention(area: str) -> None:
    """It is deleted after whatever may refer to it, and before what everything refers to."""
    names = [policy.name for policy in policies(["commands", area])]
    assert "parcels" in names
    assert names.index("requests") < names.index("parcels") < names.index("audit log")
    assert [name for name in names if name != "parcels"] == [policy.name for policy in policies(["commands"])]


@pytest.mark.usefixtures("provider")
def test_a_provider_is_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is reserved for it, described, and answered once a setting of its own switches it on."""
    assert not _acme(load_settings()).routes
    monkeypatch.setenv("BPM_ACME__SECRET", "s3cret")
    found = _acme(load_settings())
    assert [route.path for route in found.routes] == ["acme/shipments"]
    assert "x-acme-secret" in found.confidential.credentials
    assert paths.is_reserved("Acme/shipments")
    assert not paths.is_reserved("acme/returns")
    with pytest.raises(ValueError, match="fixed endpoint /api/webhooks/acme/shipments"):
        paths.normalise("acme/shipments")
    registry = Registry()
    registry.discover("commands")
    described = OpenApi(registry, "1", provider_addresses()).document()["paths"]
    assert described["/api/webhooks/acme/shipments"]["post"]["operationId"] == "receiveAcme"


def test_a_provider_declares_its_settings(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with one is said as of any other, and each stands on the page of settings."""
    monkeypatch.setenv("BPM_ACME__SECRETS", "a slip")
    with pytest.raises(Misconfigured, match="BPM_ACME__SECRETS"):
        load_settings()
    declared = next(each for each in providers.declarations() if each.name == provider)
    assert declared.settings.__name__ == "AcmeSettings"
    assert settings_type().model_fields[provider].annotation is declared.settings


async def test_a_provider_declares_its_events(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its types are listed, and published by it alone."""
    assert provider == "acme"
    monkeypatch.setenv("BPM_ACME__SECRET", "a secret of Acme")
    async with running_app() as app:
        named = await app.cmd("GetEventTypeListQuery", searchText="acme.")
        assert [each["event"] for each in named["items"]] == ["acme.shipment_changed"]
        reply = await app.send("PublishEventCommand", {"event": "acme.shipment_changed", "data": {}})
        assert reply.status == 403
        shipment = {"shipment": "A/1", "status": "sent"}
        await app.request("POST", "/api/webhooks/acme/shipments", shipment, {"x-acme-secret": "a secret of Acme"})
        await app.settled()
        (published,) = (await app.cmd("GetEventListQuery", event="acme.*"))["items"]
        assert published["data"] == shipment


async def test_a_provider_declares_whom_to_ask_back(asking: str, httpserver: HTTPServer) -> None:
    """A handler that asks for the service's type gets it, made with the provider's settings."""
    httpserver.expect_request("/shipments/A/1").respond_with_json({"status": "delivered"})
    async with running_app(command_packages=(asking,), acme={"base_url": httpserver.url_for("")}) as app:
        reply = await app.send("AskAcmeCommand", {"shipment": "A/1"})
    assert reply.data == "delivered"


def test_every_route_of_a_provider_is_reserved_and_described() -> None:
    on: dict[str, Any] = {"mono": {"webhook_secret": "s"}, "remita": {"header_secret": "s"}}
    described = {(each.method, each.path) for each in provider_addresses()}
    for found in providers.discover(load_settings(**on)):
        for route in found.routes:
            assert paths.is_reserved(route.path)
            assert (route.method, f"/api/webhooks/{route.path}") in described


def test_a_signature_preset_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration may name it at once."""
    shutil.copy(presets.FOLDER / "github.toml", tmp_path / "acme.toml")
    monkeypatch.setattr(presets.PRESETS, "_presets", presets.Presets(tmp_path))
    assert list(presets.PRESETS) == ["acme"]
    config = SignatureConfig.model_validate({"scheme": "acme", "secret": "It's a Secret to Everybody"})
    assert config.to_scheme().header == "X-Hub-Signature-256"


def _maps_nothing(*_: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda _scope: {}


def test_an_execution_type_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its field is called, which others exclude it, and what it sends follow from the entry."""
    entry = ExecutionKind("ping", "description", _maps_nothing, "PingQuery")
    monkeypatch.setitem(cast("dict[ExecutionType, ExecutionKind]", EXECUTION_TYPES), ExecutionType.NATIVE, entry)
    assert list(demands({"executionType": 0})) == ["description: is required when executionType is 0"]
    registry = Registry()
    registry.discover("commands.system")
    fields = {"description": "x", "isEnabled": True, "path": "x", "action": "POST", "executionType": 0}
    dispatch = dispatcher(1, "x", 1, 1, WebHookFields.model_validate(fields), registry)
    assert dispatch.sends == "PingQuery"
    assert type(dispatch.make({})).__name__ == "PingQuery"


def test_a_bpmn_element_is_one_class_and_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader, the compiler and the run know no class of an element."""

    class ImplicitThrowEvent(ManualTask):
        """Lets every token pass; the product does not execute it."""

    table = importlib.import_module("bpm.bpmn.elements.table")
    source = model('<startEvent id="a"/><implicitThrowEvent id="b"/><endEvent id="c"/>' + flows("a > b > c"))
    monkeypatch.setitem(table.ELEMENTS, "implicitThrowEvent", {"": ImplicitThrowEvent})
    process = load(source)
    instance, _ = advance(process, Instance(), Start(), NOON)
    assert instance.status is Status.COMPLETED


def _acme(settings: Settings) -> Provider:
    return next(each for each in providers.discover(settings) if each.name == "acme")
