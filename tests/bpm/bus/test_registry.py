"""The registry: what is found, what is refused at start-up, how bodies become messages."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, ClassVar

import pytest
from pydantic import Field

from bpm.bus import Command, Context, Integer, Registry, View, WireModel, handles
from bpm.errors import Invalid, Misconfigured, NotFound


class LineModel(WireModel):
    """A part of a message."""

    sku: str
    quantity: Integer


class OrderView(View):
    """A result."""

    id: int


class OrderCommand(Command[OrderView]):
    """A command with all kinds of fields."""

    permission: ClassVar[str | None] = None

    customer_name: str
    lines: list[LineModel] = Field(default_factory=list[LineModel])
    allowable_ips: str | None = Field(default=None, alias="allowableIPs")

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Complain about one combination."""
        if fields.get("customerName") == "nobody" or "gift" in fields:
            yield "lines: is required for nobody"


@handles
def order(command: OrderCommand, context: Context) -> OrderView:
    """Answer."""
    return OrderView(id=len(command.lines))


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.add(order)
    return registry


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """A folder on the import path, forgotten afterwards."""
    sys.path.insert(0, str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    sys.path.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["OrderCommand", "App.Commands.OrderCommand", "App.Commands.OrderCommand, App"])
def test_dotnet_forms_are_reduced_to_the_name(registry: Registry, name: str) -> None:
    """A namespace and an assembly around the name do not matter."""
    assert registry.find(name).message_type is OrderCommand


@pytest.mark.parametrize(
    "name",
    [
        "Acme.Validated`1[[Bank.OrderCommand, Bank]], Acme",
        "Bank.OrderCommand[], Bank",
        "Bank.OrderCommand`1",
        "Acme.DryRun`1[[Bank.OrderCommand]]",
        "Bank.OrderCommand&",
        "Bank..OrderCommand",
        ".OrderCommand",
        "Bank.OrderCommand, Bank[[x]]",
        "Bank/OrderCommand",
        "Outer+OrderCommand",
        "Bank.OrderCommand\n",
    ],
)
def test_the_name_of_another_class_is_not_reduced(registry: Registry, name: str) -> None:
    """A generic class of a message, an array of it or a nested class is not that message."""
    assert not registry.knows(name)


def test_names_are_camel_case_on_the_wire(registry: Registry) -> None:
    """A name as Python writes it would pass the checks between fields by; it is an unknown field, in parts, too."""
    with pytest.raises(Invalid) as caught:
        registry.decode("OrderCommand", {"customer_name": "nobody", "allowable_ips": "10.0.0.1"})
    assert {"customer_name: is not a known field; did you mean customerName?"} <= set(caught.value.errors)
    assert "customerName: Customer name is required" in caught.value.errors


def test_an_unknown_name_is_told_the_closest(registry: Registry) -> None:
    """A typo is answered with what was probably meant."""
    with pytest.raises(NotFound, match="did you mean OrderCommand"):
        registry.find("OrdrCommand")


def test_every_problem_is_reported_at_once(registry: Registry) -> None:
    """Missing, unknown and wrong fields and what is wrong between fields come in one answer, with paths."""
    with pytest.raises(Invalid) as caught:
        registry.decode("OrderCommand", {"lines": [{"sku": 1, "quantity": 1.5, "x": 0}], "gift": True})
    assert set(caught.value.errors) == {
        "customerName: Customer name is required",
        "lines[0].sku: must be a string",
        "lines[0].quantity: must be an integer",
        "lines[0].x: is not a known field",
        "gift: is not a known field",
        "lines: is required for nobody",
    }


def test_a_misspelt_field_is_told_the_closest(registry: Registry) -> None:
    """An unknown field is refused, with the known one it resembles."""
    with pytest.raises(Invalid, match="allowableIps: is not a known field; did you mean allowableIPs"):
        registry.decode("OrderCommand", {"customerName": "a", "allowableIps": "10.0.0.1"})


@pytest.mark.parametrize(("value", "taken"), [(2, True), (2.0, True), (2.5, False), ("2", False), (True, False)])
def test_integers_are_integers(registry: Registry, value: Any, taken: bool) -> None:
    """A float without a fraction counts as an integer; nothing else is converted."""
    body = {"customerName": "a", "lines": [{"sku": "s", "quantity": value}]}
    if taken:
        message = registry.decode("OrderCommand", body)
        assert isinstance(message, OrderCommand)
        assert message.lines[0].quantity == 2
    else:
        with pytest.raises(Invalid, match=r"lines\[0\].quantity"):
            registry.decode("OrderCommand", body)


def test_a_second_handler_is_refused(registry: Registry) -> None:
    """A `$type` has one handler."""
    with pytest.raises(Misconfigured, match="two handlers"):
        registry.add(order)


def test_a_handler_must_return_its_messages_result() -> None:
    """What a handler says it returns is what its message promises."""

    @handles
    def wrong(command: OrderCommand, context: Context) -> str:
        return ""

    with pytest.raises(Misconfigured, match="must return"):
        Registry().add(wrong)


def test_an_unknown_service_is_refused(registry: Registry) -> None:
    """A handler that asks for something nobody provides stops the start."""

    class Weather:
        """Nobody makes it."""

    @handles
    def needy(command: OrderCommand, context: Context, weather: Weather) -> OrderView:
        return OrderView(id=1)

    registry = Registry()
    registry.add(needy)
    with pytest.raises(Misconfigured, match="Weather"):
        registry.bind()


def test_packages_are_discovered_module_by_module(package: Path) -> None:
    """Every handler in every module of a package is registered; its file is its area."""
    write(package / "shop" / "__init__.py", "")
    write(package / "shop" / "orders.py", SHOP)
    registry = Registry()
    registry.discover("shop")
    assert [(r.name, r.area, r.kind) for r in registry] == [("BuyCommand", "orders", "transactional")]


def test_a_command_without_a_handler_is_refused(package: Path) -> None:
    """A message class that nobody handles stops the start."""
    write(package / "shop2" / "__init__.py", SHOP.split("@handles")[0])
    with pytest.raises(Misconfigured, match="BuyCommand has no handler"):
        Registry().discover("shop2")


def test_a_missing_package_is_named(package: Path) -> None:
    """A package that can't be imported is a sentence, not a traceback."""
    with pytest.raises(Misconfigured, match="'no_such_shop' can't be imported"):
        Registry().discover("no_such_shop")


SHOP = '''
from bpm.bus import Command, Context, handles

class BuyCommand(Command[str]):
    """Buy."""
    permission = "orders:write"

@handles
def buy(command: BuyCommand, context: Context) -> str:
    return "bought"
'''


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(text))
