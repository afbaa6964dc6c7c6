"""Payments, as providers report them and operators ask, and doubles of Mono's and Remita's APIs."""

from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.app import Components
from bpm.app.settings import load_settings
from bpm.security.permissions import Principal, permissions_of
from bpm.settings import Settings
from router.providers import Call, discover
from tests.commands.sender import MessageSender
from tests.payloads import payload

MONO = Principal("provider", "provider:mono", "mono", 1, frozenset({"payments:write", "events:write"}))
REMITA = Principal("provider", "provider:remita", "remita", 1, frozenset({"payments:write", "events:write"}))
OPERATOR = Principal("user", "u1", "operator", 1, permissions_of(["operator"]))
VIEWER = Principal("user", "u2", "viewer", 1, permissions_of(["viewer"]))
STRANGER = Principal("user", "u3", "stranger", 1, frozenset())


class PaymentsSender(MessageSender):
    """A sender that also hands over what providers post, as the worker does."""

    async def receive(self, path: str, body: bytes) -> Any:
        """Send what a provider's request becomes."""
        providers = discover(self.components.foundation.settings)
        routes = (route for provider in providers for route in provider.routes)
        route = next(route for route in routes if (route.method, route.path) == ("POST", path))
        reception = route.read(Call("POST", {}, {}, body, "127.0.0.1"))
        principal = MONO if path.startswith("mono") else REMITA
        return await self.result(reception.message_type, principal, **reception.fields)

    async def recorded(self, path: str, name: str) -> Any:
        """Receive a recorded payload."""
        return await self.receive(path, payload(name))

    async def listed(self, name: str, **fields: Any) -> list[Any]:
        """Return the first page of a list query, as plain JSON values."""
        page = await self.send(name, VIEWER, pageSize=200, sortDirection="asc", **fields)
        assert page["totalCount"] == len(page["items"])
        return page["items"]

    async def events(self, name: str = "*") -> list[Any]:
        """Return the data of published events."""
        wanted = {} if name == "*" else {"event": name}
        return [event["data"] for event in await self.listed("GetEventListQuery", **wanted)]


@pytest.fixture
def settings(tmp_path: Path, httpserver: HTTPServer) -> Settings:
    base_url = httpserver.url_for("")
    return load_settings(
        data_dir=tmp_path,
        mono={"webhook_secret": "s", "secret_key": "test_sk", "base_url": base_url},
        remita={
            "header_secret": "s",
            "merchant_id": "2547916",
            "api_key": "1946",
            "base_url": base_url,
            "mandate_url": httpserver.url_for("/mandate"),
        },
    )


@pytest.fixture
def payments(components: Components) -> PaymentsSender:
    """Everything but the worker: jobs are kept and not run."""
    return PaymentsSender(components, OPERATOR)
