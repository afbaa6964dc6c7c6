"""A certified provider, as strict as it is: every kind of client that the pages name, and every kind of key."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
import structlog

from bpm.testing import RunningApp, running_app
from bpm.web.console.oidc.provider import CALLBACK
from tests.attacks.test_single_sign_on import HERE, ROLES, Tab
from tests.certified_provider import CertifiedProvider, key_pairs
from tests.identity_provider import CLIENT_SECRET, new_key

pytestmark = pytest.mark.anyio

CLIENTS: dict[str, dict[str, Any]] = {
    "header": {"token_endpoint_auth_method": "client_secret_basic"},
    "form": {"token_endpoint_auth_method": "client_secret_post"},
    "public": {"token_endpoint_auth_method": "none"},
    **{kind: {"id_token_signed_response_alg": kind} for kind in ("PS256", "ES256", "Ed25519", "EdDSA")},
    "told by keys that are shared": {"id_token_signed_response_alg": "HS256"},
}
SIGNS_HS256 = {"idTokenSigningAlgValues": ["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "HS256"]}
ACTION, PROMPT = re.compile(r'<form[^>]* action="([^"]+)"'), re.compile(r'name="prompt" value="(\w+)"')


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[CertifiedProvider]:
    """The provider, with a client of each kind."""
    async with CertifiedProvider(f"{HERE}{CALLBACK}", CLIENTS, enabledJWA=SIGNS_HS256) as provider:
        provider.tell("subject-1", preferred_username="vera", groups=["bus-viewers"])
        yield provider


@asynccontextmanager
async def server_of(provider: CertifiedProvider, client: str, **further: Any) -> AsyncGenerator[RunningApp]:
    """A server that is this client of the provider's."""
    settings = provider.settings(client_id=client, roles=ROLES, **further)
    async with running_app(oidc=settings) as app:
        yield app


async def walk(url: str, subject: str = "subject-1") -> str:
    """Sign in at the provider as a browser does, and return where it is led back to."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(url)
        while True:
            if answer.is_redirect:
                url = urljoin(str(answer.url), answer.headers["location"])
                if url.startswith(HERE):
                    return url
                answer = await http.get(url)
            else:
                action, prompt = ACTION.search(answer.text), PROMPT.search(answer.text)
                assert action is not None, answer.text
                assert prompt is not None, answer.text
                fields = {"prompt": prompt[1], "login": subject, "password": "any"}
                answer = await http.post(action[1], data=fields)


async def sign_in(tab: Tab) -> str:
    """Begin, go on at the provider, come back; return the problem."""
    return await tab.follow(await walk(await tab.begin()))


@pytest.mark.parametrize("client", ["header", "form", "public", "PS256", "ES256", "Ed25519", "EdDSA"])
async def test_every_kind_of_client_signs_in(provider: CertifiedProvider, client: str) -> None:
    """A secret in the header or in the form, or none; the provider offers both, and takes one of a client alone."""
    secret = {"client_secret": None} if client == "public" else {}
    async with server_of(provider, client, **secret) as app:
        for _ in range(2):
            tab = Tab(app)
            assert (await sign_in(tab), await tab.who()) == ("", "vera")
        (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        assert user["roles"] == ["viewer"]


@pytest.mark.parametrize(
    ("client", "changes", "log"),
    [
        ("header", {"client_secret": "another"}, "invalid_client"),
        ("form", {"client_secret": "another"}, "invalid_client"),
        ("header", {"client_secret": None}, "invalid_client"),
        ("told by keys that are shared", {}, "another algorithm"),
    ],
)
async def test_what_proves_nothing_opens_nothing(
    provider: CertifiedProvider, client: str, changes: dict[str, Any], log: str
) -> None:
    """A wrong secret, none, and a token that is signed by the client's secret; the log says so."""
    async with server_of(provider, client, **changes) as app:
        tab = Tab(app)
        with structlog.testing.capture_logs() as lines:
            assert (await sign_in(tab), await tab.who()) == ("unproven", 401)
        assert log in str(lines)


async def test_a_client_that_is_not_registered_does_not_come_back(provider: CertifiedProvider) -> None:
    """The provider shows its own error; nothing of ours is involved any more."""
    async with server_of(provider, "nobody") as app, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(await Tab(app).begin())
        assert (answer.status_code, "invalid_client" in answer.text) == (400, True)


async def test_a_code_is_of_one_sign_in(provider: CertifiedProvider) -> None:
    """The verifier is looked at, and a code that was used is worth nothing."""
    async with server_of(provider, "header") as app:
        victim, thief = Tab(app), Tab(app)
        stolen = await walk(await victim.begin())
        state = dict(httpx.URL(await thief.begin()).params)["state"]
        injected = re.sub(r"state=[^&]+", f"state={state}", stolen)
        assert (await thief.follow(injected), await thief.who()) == ("unproven", 401)


async def test_claims_may_stand_in_the_token_itself() -> None:
    """As with providers that do not keep to the letter of the standard, nearly all of them."""
    told = {"conformIdTokenClaims": False}
    async with CertifiedProvider(f"{HERE}{CALLBACK}", {"bus": {}}, **told) as provider:
        provider.tell("subject-1", preferred_username="vera", groups=["bus-operators"])
        async with server_of(provider, "bus") as app:
            assert await sign_in(Tab(app)) == ""
            (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
            assert user["roles"] == ["operator"]


async def test_the_provider_changes_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The new one is published beside the old, then signs, then is alone; or all of it at once."""
    old, new, sudden = (new_key(name) for name in ("old", "new", "sudden"))
    async with CertifiedProvider(f"{HERE}{CALLBACK}", {"bus": {}}, jwks=key_pairs(old, new)) as provider:
        provider.tell("subject-1", preferred_username="vera", groups=["bus-viewers"])
        async with server_of(provider, "bus") as app:
            first = Tab(app)
            assert await sign_in(first) == ""
            for keys in ((new, old), (new,)):
                await provider.restart(jwks=key_pairs(*keys))
                assert await sign_in(Tab(app)) == ""
            monkeypatch.setattr("bpm.web.console.oidc.document.RENEWED_SECONDS", -1)
            await provider.restart(jwks=key_pairs(sudden))
            assert (await sign_in(Tab(app)), await first.who()) == ("", "vera")


async def test_the_secret_is_looked_at_anew_when_the_client_changes() -> None:
    """The way that worked may be the wrong one tomorrow."""
    clients = {"bus": {"token_endpoint_auth_method": "client_secret_post"}}
    async with CertifiedProvider(f"{HERE}{CALLBACK}", clients) as provider:
        provider.tell("subject-1", preferred_username="vera", groups=["bus-viewers"])
        async with server_of(provider, "bus", client_secret=CLIENT_SECRET) as app:
            assert await sign_in(Tab(app)) == ""
            (client,) = provider.configuration["clients"]
            await provider.restart(clients=[{**client, "token_endpoint_auth_method": "client_secret_basic"}])
            assert await sign_in(Tab(app)) == ""
