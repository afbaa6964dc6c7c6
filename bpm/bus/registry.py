"""Which messages exist and who handles them; filled by discovery, checked at start-up.

A handler is a function marked with `@handles`. How it is written says what it is: `def` is transactional
(or, for a query, a read), `async def` is an effect. Its first parameter is the message, its second the
context; any further one is a service of the composition root, asked for by name.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType, NoneType
from typing import Any, Literal, TypeGuard, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from bpm.bus.effect_loops import EffectLoops
from bpm.bus.exact_fields import object_fields, restore, takes_decimals, with_digits
from bpm.bus.field_permissions import permissions_within, shown_to
from bpm.bus.messages import Message, Query
from bpm.bus.validation_messages import sentences
from bpm.errors import Invalid, Misconfigured, NotFound
from bpm.exact_json import plain_as, write_as, write_json, write_noting_numbers
from bpm.security.permissions import Permission, Principal
from bpm.security.redaction import without_secrets_of
from bpm.spelling import nearest

F = TypeVar("F", bound=Callable[..., Any])
Kind = Literal["transactional", "query", "effect"]

LONGEST_NAME = 1_000
"""No `$type` is longer, with its namespace and assembly."""

_MARK = "__handles__"
_QUALIFIED = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?:\s*,[\w\s.,=-]*)?", re.ASCII)
"""How .NET writes the name of a class; a generic one or an array is another class, and is not reduced to it."""
_TAKEN_TABLE = re.compile(r"Table '(\w+)' is already defined")
"""How SQLAlchemy begins to say that two classes have one table."""


def handles(function: F) -> F:
    """Mark a function as the handler of the message that its first parameter is annotated with."""
    setattr(function, _MARK, True)
    return function


@dataclass(slots=True)
class Registration:
    """A message, its handler and the type of its result; parts of that are shown only with permissions `shown_with`."""

    name: str
    message_type: type[Message[Any]]
    handler: Callable[..., Any]
    kind: Kind
    result: TypeAdapter[Any]
    services: Mapping[str, type]
    area: str
    bound: Mapping[str, Any]
    shown_with: frozenset[Permission]
    is_foreign: bool = False
    """Whether an application's package has the handler."""

    def invoke(self, message: Message[Any], context: object) -> Any:
        """Call the handler (an effect's coroutine is returned, not awaited)."""
        return self.handler(message, context, **self.bound)

    def shown_to(self, principal: Principal, data: object) -> Any:
        """Return the result as the principal may see it."""
        is_whole = all(principal.allows(permission) for permission in self.shown_with)
        return data if is_whole else shown_to(principal, data)

    def dump(self, data: object) -> bytes:
        """Return the result as it goes over the wire."""
        return write_as(self.result, data)


class Registry:
    """The registered messages by `$type`."""

    def __init__(self) -> None:
        """Start empty; `discover` fills it."""
        self._by_name: dict[str, Registration] = {}
        self._by_type: dict[type[Message[Any]], Registration] = {}

    def __iter__(self) -> Iterator[Registration]:
        """Every registration, by name."""
        return iter(sorted(self._by_type.values(), key=lambda r: r.name))

    def discover(self, package: str, *, is_application: bool = False) -> None:
        """Import every module of `package` and register the handlers found there; `is_application`: it is not ours.

        Raises `Misconfigured` for a package that can't be imported, a second handler for a `$type`, a
        command without a handler, and a handler that does not return its message's result type.
        """
        for module in modules_of(package):
            members = [m for m in vars(module).values() if getattr(m, "__module__", None) == module.__name__]
            for member in members:
                if getattr(member, _MARK, False):
                    self.add(member, area=_area(package, module.__name__)).is_foreign = is_application
            for member in members:
                if _is_concrete_message(member) and member not in self._by_type:
                    raise Misconfigured(f"{member.__module__}.{member.__name__} has no handler")

    def add(self, handler: Callable[..., Any], area: str = "") -> Registration:
        """Register one marked function; see `discover` for what is refused."""
        registration = replace(_registration(handler, area))
        for name in (registration.name, *registration.message_type.aliases):
            if name in self._by_name:
                raise Misconfigured(
                    f"{name} has two handlers: {_place(self._by_name[name].handler)} and {_place(handler)}"
                )
            self._by_name[name] = registration
        self._by_type[registration.message_type] = registration
        return registration

    def bind(self, *services: object) -> None:
        """Give every handler the services it asks for, each by its type.

        Raises `Misconfigured` for a type that none of the services has, or more than one.
        """
        for registration in self._by_type.values():
            registration.bound = {
                name: _service(registration, kind, services) for name, kind in registration.services.items()
            }

    def run_effects_in(self, loops: EffectLoops) -> None:
        """Let the effects of applications' packages run in event loops of their own.

        One that asks for services does not: these belong to the event loop that answers requests.
        """
        for registration in self._by_type.values():
            if registration.is_foreign and registration.kind == "effect" and not registration.services:
                registration.handler = loops.taking(registration.name, registration.handler)

    def of(self, message: Message[Any]) -> Registration:
        """Return the registration of a message's class."""
        return self._by_type[type(message)]

    def find(self, name: str) -> Registration:
        """Look up a `$type`; the forms `Some.Namespace.Name` and `…, Assembly` of .NET are reduced to `Name`.

        Raises `NotFound` with the closest known names.
        """
        registration = self._found(name)
        if registration is None:
            raise NotFound(self._unknown(name), message="Unknown $type")
        return registration

    def knows(self, name: str) -> bool:
        """Tell whether `$type` names a registered message."""
        return self._found(name) is not None

    def decode(self, name: str, fields: Mapping[str, Any], *, are_given_up: bool = False) -> Message[Any]:
        """Build the message `name` from JSON values; raises `NotFound`, or `Invalid` with every problem.

        With `are_given_up` nobody else has them, so the message may keep objects among them instead of copies.
        """
        message_type = self.find(name).message_type
        problems: list[str] = []
        message: Message[Any] | None = None
        try:
            message = (_keeping_objects if are_given_up else _validated)(message_type, fields)
        except ValidationError as error:
            problems = sentences(error, message_type)
        problems.extend(p for p in message_type.cross_check(fields) if p not in problems)
        if problems or message is None:
            raise Invalid(*without_secrets_of(problems, fields, message_type.secrets), message="Validation failed")
        return message

    def plain(self, message: Message[Any], data: object) -> Any:
        """Return a result as plain JSON values."""
        return plain_as(self.of(message).result, data)

    def _found(self, name: str) -> Registration | None:
        found = self._by_name.get(name)
        if found is None and len(name) <= LONGEST_NAME and (qualified := _QUALIFIED.fullmatch(name)):
            return self._by_name.get(qualified[1])
        return found

    def _unknown(self, name: str) -> str:
        shown = name if len(name) <= 100 else name[:100] + "…"
        close = nearest(name, self._by_name, count=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(close)}?" if close else "; GetCommandCatalogQuery lists all"
        return f"$type: no command or query is named {shown!r}{hint}"


def _keeping_objects(message_type: type[Message[Any]], fields: Mapping[str, Any]) -> Message[Any]:
    """Return the message of JSON values, some of which it takes whatever is in them; raises `ValidationError`."""
    taken = {alias: name for alias, name in object_fields(message_type).items() if isinstance(fields.get(alias), dict)}
    message = _validated(message_type, {**fields, **{alias: {} for alias in taken}})
    values = cast("dict[str, Any]", message.__dict__)
    values.update({name: fields[alias] for alias, name in taken.items()})
    return message


def _validated(message_type: type[Message[Any]], fields: Mapping[str, Any]) -> Message[Any]:
    """Return the message of JSON values; raises `ValidationError`.

    They are written as JSON again because strict validation takes a date, an id or an enumeration from its text only
    in JSON; of Python values it wants the object. Measured: 2 µs for 200 bytes, a hundredth of a command.
    """
    validator = message_type.__pydantic_validator__
    written, has_numbers = write_noting_numbers(fields)
    if not has_numbers:
        return validator.validate_json(written, by_alias=True, by_name=False)
    if takes_decimals(message_type):
        written = write_json(with_digits(fields, message_type))
    message = validator.validate_json(written, by_alias=True, by_name=False)
    restore(message, fields)
    return message


def modules_of(package: str) -> Iterable[ModuleType]:
    """Import and yield every module of a package of commands; raises `Misconfigured` for one that can't be imported."""
    try:
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.walk_packages(getattr(root, "__path__", ()), prefix=f"{package}."):
            yield importlib.import_module(found.name)
    except Exception as error:  # the package may be an application's, with mistakes of any kind
        raise Misconfigured(f"the command package {package!r} can't be imported: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    taken = _TAKEN_TABLE.match(str(error))
    if taken is not None:
        return f"a table called {taken[1]} is there already; give the class of yours another name"
    return f"{type(error).__name__}: {error}"


def _area(package: str, module: str) -> str:
    """The part below the package: `payments` for `commands.payments.mono_events`."""
    return module.removeprefix(f"{package}.").partition(".")[0] if module != package else package.rpartition(".")[2]


def _is_message(value: object) -> TypeGuard[type[Message[Any]]]:
    return isinstance(value, type) and issubclass(value, Message)


def _is_concrete_message(member: object) -> bool:
    return _is_message(member) and "permission" in vars(member)


@cache
def _registration(handler: Callable[..., Any], area: str) -> Registration:
    """Read a handler; a registry, of which there may be several, takes a copy and binds services to it."""
    hints = get_type_hints(handler)
    parameters = list(inspect.signature(handler).parameters)
    message_type = hints.get(parameters[0]) if parameters else None
    if not _is_message(message_type) or len(parameters) < 2:
        raise Misconfigured(f"{_place(handler)} must take a message and a context, both annotated")
    if not hasattr(message_type, "permission"):
        raise Misconfigured(f"{message_type.__name__} declares no permission (None: anybody signed in)")
    result = _result_type(message_type)
    if hints.get("return") != result:
        raise Misconfigured(f"{_place(handler)} must return {result}, the result of {message_type.__name__}")
    return Registration(
        name=message_type.__name__,
        message_type=message_type,
        handler=handler,
        kind=_kind(handler, message_type),
        result=TypeAdapter(result),
        services={name: _asked_for(handler, name, hints) for name in parameters[2:]},
        area=area,
        bound={},
        shown_with=permissions_within(result),
    )


def _asked_for(handler: Callable[..., Any], name: str, hints: Mapping[str, Any]) -> type:
    kind = hints.get(name)
    if not isinstance(kind, type):
        raise Misconfigured(f"{_place(handler)} asks for {name} without naming its class")
    return kind


def _service(registration: Registration, kind: type, services: Iterable[object]) -> object:
    found = [service for service in services if isinstance(service, kind)]
    if len(found) != 1:
        many = "no service is" if not found else f"{len(found)} services are"
        raise Misconfigured(f"{_place(registration.handler)} asks for a {kind.__name__}, and {many} one")
    return found[0]


def _kind(handler: Callable[..., Any], message_type: type[Message[Any]]) -> Kind:
    if inspect.iscoroutinefunction(handler):
        return "effect"
    return "query" if issubclass(message_type, Query) else "transactional"


def _result_type(message_type: type[Message[Any]]) -> Any:
    for base in message_type.__mro__:
        arguments = base.__pydantic_generic_metadata__["args"] if issubclass(base, Message) else ()
        if arguments and not isinstance(arguments[0], TypeVar):
            return arguments[0] if arguments[0] is not None else NoneType
    raise Misconfigured(f"{message_type.__name__} names no result type, as in Command[OrderView]")


def _place(handler: Callable[..., Any]) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"
