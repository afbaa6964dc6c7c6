"""What tests of organisations share: an application with two of them, each with its administrator."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import bpm.jobs.reconciler
from bpm.testing import RunningApp, WebhookReceiver, running_app
from tests.contracts.tenants import Tenant, tenant


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningApp]:
    """A running application that looks after forgotten work all the time, and delivers to this machine."""
    monkeypatch.setattr(bpm.jobs.reconciler, "SECONDS", 0.1)
    delivery: Any = {"probe": "off", "allowed_networks": "127.0.0.0/8", "max_subscriptions": 3}
    async with running_app(delivery=delivery) as running:
        yield running


@pytest.fixture
async def http(app: RunningApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is nobody yet."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://bpm.test") as http:
        yield http


@pytest.fixture
async def acme(app: RunningApp, http: httpx.AsyncClient) -> Tenant:
    """An organisation with its administrator."""
    return await tenant(app, http, "Acme")


@pytest.fixture
async def borg(app: RunningApp, http: httpx.AsyncClient) -> Tenant:
    """Another one."""
    return await tenant(app, http, "Borg")


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver that answers 200."""
    async with WebhookReceiver() as receiver:
        yield receiver
