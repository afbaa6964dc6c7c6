"""The whole application, with no receiver asked whether it is there, and an organisation's own key."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.app import App, build_registry
from bpm.settings import Settings
from bpm.testing import WebhookReceiver, running_app
from bpm.web.openapi import OpenApi
from tests.contracts.dialect import WRITE, Caller, caller


@pytest.fixture
async def app() -> AsyncIterator[App]:
    """A started application."""
    async with running_app(delivery={"probe": "off"}, worker=False) as running:
        yield running.app


@pytest.fixture(scope="session")
def document() -> Any:
    """The OpenAPI document."""
    return OpenApi(build_registry(Settings()), "1").document()


@pytest.fixture
async def owner(app: App, document: Any) -> Caller:
    """Somebody of organisation 849 who may do everything with webhooks."""
    return await caller(app, document, 849, *WRITE)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver that answers 200."""
    async with WebhookReceiver() as receiver:
        yield receiver
