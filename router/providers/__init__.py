"""The fixed endpoints: one module or package a provider, discovered; none knows another.

Each has a `DECLARATION`, and a function `provider` that takes the group of settings declared there and returns a
`Provider`. What all of them share (reading, storing, duplicates, execution) is the router's; a provider only says how
its requests are recognised and read.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bpm.edge.answer import Answer
from bpm.edge.openapi_operation import OpenApiOperation
from bpm.events.catalogue import EventKind
from bpm.security.net import AddressList
from bpm.security.rate_limiter import RateLimit
from bpm.settings import Group, Settings
from router.providers.client import ProviderClient
from router.request_secrets import ALWAYS, RequestSecrets

UNAUTHORIZED = Answer(401, b"Unauthorized")
"""What a request is answered that does not prove its sender."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a fixed endpoint, its body read; `headers` have lower-case names."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Reception:
    """How a request was understood: the message to send, the key of its duplicates, the answer to give."""

    message_type: str
    fields: Mapping[str, Any]
    answer: Answer
    dedupe_key: str | None = None


class Refusal(Exception):
    """The request is not what the provider sends; `cause` is kept with it and `answer` sent."""

    def __init__(self, cause: str, answer: Answer) -> None:
        """Say why, and what to answer."""
        super().__init__(cause)
        self.cause = cause
        self.answer = answer


@dataclass(frozen=True, slots=True)
class FixedRoute:
    """One address below `/api/webhooks/` and what happens to its requests.

    `verify` returns why a request is not the provider's (None: it is); `read` understands its body or raises
    `Refusal`. Neither does any work: the message that `read` names is sent once the request is on disk. `allowance` is
    how much one address may send where nothing proves who sends.
    """

    method: str
    path: str
    read: Callable[[Call], Reception]
    verify: Callable[[Call], str | None]
    refused: Answer = UNAUTHORIZED
    allowance: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class ProviderDeclaration:
    """What holds of a provider also while it is off.

    `settings` is a group with defaults, read from `BPM_` and the name; `reserved` are paths that no rule answers (one
    that ends in `/` stands for everything below it), and `addresses` describe them in the OpenAPI document.
    `confirmation` makes the service that asks the provider back, which handlers get by its type. `events` are the
    types of what is published of it; nobody else publishes under the first words of their names.
    """

    name: str
    settings: type[Group]
    reserved: tuple[str, ...]
    addresses: tuple[OpenApiOperation, ...]
    confirmation: Callable[[Any, ProviderClient], object] | None = None
    events: tuple[EventKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """A third party; without `routes` it is off, and `off` says which setting switches it on.

    Requests from outside `addresses` are refused before their bodies are read. `confidential` names the headers
    (in lower case) and parameters of the query that prove the sender.
    """

    name: str
    routes: tuple[FixedRoute, ...] = ()
    addresses: AddressList | None = None
    confidential: RequestSecrets = ALWAYS
    off: str = ""
    permissions: frozenset[str] = field(default_factory=lambda: frozenset({"payments:write", "events:write"}))


def discover(settings: Settings) -> list[Provider]:
    """Return every provider of this package, configured."""
    return [module.provider(_group(settings, module.DECLARATION)) for module in _modules()]


def declarations() -> list[ProviderDeclaration]:
    """Return what every provider of this package declares."""
    return [module.DECLARATION for module in _modules()]


def confirmations(settings: Settings, client: ProviderClient) -> list[object]:
    """Return the services that ask providers back, of those that have one."""
    return [
        declaration.confirmation(_group(settings, declaration), client)
        for declaration in declarations()
        if declaration.confirmation is not None
    ]


def _group(settings: Settings, declaration: ProviderDeclaration) -> Group:
    return settings.group(declaration.name, declaration.settings)


def _modules() -> list[Any]:
    names = sorted(found.name for found in pkgutil.iter_modules(__path__, prefix=f"{__name__}."))
    modules = (importlib.import_module(name) for name in names)
    return [module for module in modules if hasattr(module, "DECLARATION")]
