"""Providers of OpenID Connect as they are: each has its own shape, and a local one plays it.

Shapes are those of the providers' public documentation: Keycloak, Microsoft Entra ID, Google, Okta, Auth0, Dex and
Authentik.
"""

import json
from functools import partial
from typing import Any

import pytest
from joserfc import jwk, jws
from starlette.responses import JSONResponse, Response

from bpm.accounts.id_tokens import ExpectedToken, IdTokenError, read_id_token
from bpm.signatures.tokens import load_keys
from tests.attacks.test_single_sign_on import Tab, signing_on
from tests.identity_provider import CLIENT_ID, IdentityProvider, new_key

pytestmark = pytest.mark.anyio

ENCRYPTING = {"kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "enc", "n": "AQAB", "e": "AQAB"}
"""As Keycloak publishes one beside the key that signs."""
STRANGE = {"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AQAB"}


def signs_with(provider: IdentityProvider, key: Any, algorithm: str) -> None:
    """Let the provider sign with another key."""
    provider.key = key
    provider.sign = lambda claims: provider.signed(claims, alg=algorithm)


@pytest.mark.parametrize("place", ["/", "/application/o/bus/", "/realms/staff", "/dex", "/oauth2/default"])
async def test_the_issuer_is_as_the_provider_writes_it(place: str) -> None:
    """Auth0 and Authentik end theirs with a slash; Keycloak, Dex and Okta have one with a path."""
    async with signing_on(place=place) as (app, provider):
        tab = Tab(app)
        assert (await tab.sign_in(provider), await tab.who()) == ("", "vera")
        assert provider.asked[0] == f"{place.rstrip('/')}/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("called", "hint"),
    [
        ("{}/", "it calls itself"),
        ("https://login.example/{{tenantid}}/v2.0", "the id of your tenant"),
        (None, "it does not say its issuer"),
    ],
)
async def test_a_description_of_another_issuer_says_how_it_calls_itself(
    called: str | None, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slash too few, and Entra's description for many tenants; the log says what to write."""
    async with signing_on() as (app, provider):
        provider.metadata = {"issuer": called and called.format(provider.url)}
        answer = await Tab(app).send("POST", "/console/api/oidc", {})
        assert answer.status_code == 503
        assert hint in answer.text + capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (new_key("one"), "PS256"),
        (new_key("one"), "RS512"),
        (jwk.ECKey.generate_key("P-256", {"kid": "one"}), "ES256"),
        (jwk.ECKey.generate_key("P-384", {"kid": "one"}), "ES384"),
        (jwk.OKPKey.generate_key("Ed25519", {"kid": "one"}), "Ed25519"),
    ],
)
async def test_tokens_are_signed_by_any_public_key(key: Any, algorithm: str) -> None:
    """Beside keys for encryption and of kinds that nobody knows; without `alg`, as Entra publishes its keys."""
    async with signing_on() as (app, provider):
        if algorithm in ("PS256", "RS512"):
            key = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        provider.further_keys = [ENCRYPTING, STRANGE, {"issuer": "https://login.example"}]
        signs_with(provider, key, algorithm)
        assert await Tab(app).sign_in(provider) == ""


async def test_keys_without_an_id_are_told_apart_by_their_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the provider changes its key: nothing in the token names the new one."""
    monkeypatch.setattr("bpm.web.console.oidc.document.RENEWED_SECONDS", -1)
    async with signing_on() as (app, provider):
        for _ in range(2):
            key = jwk.RSAKey.generate_key(2048, {"use": "sig"})
            provider.further_keys = [jwk.RSAKey.generate_key(2048).as_dict(private=False)]
            provider.key, provider.sign = key, partial(_without_kid, provider)
            assert await Tab(app).sign_in(provider) == ""


def _without_kid(provider: IdentityProvider, claims: dict[str, Any]) -> str:
    return jws.serialize_compact({"alg": "RS256"}, json.dumps(claims).encode(), provider.key, algorithms=["RS256"])


async def test_a_key_that_changed_under_its_id_is_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The id is the same, the signature is not."""
    async with signing_on() as (app, provider):
        assert await Tab(app).sign_in(provider) == ""
        provider.key = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        assert await Tab(app).sign_in(provider) == "unproven"
        monkeypatch.setattr("bpm.web.console.oidc.document.RENEWED_SECONDS", -1)
        assert await Tab(app).sign_in(provider) == ""


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("groups", {"groups": "bus-operators"}),
        ("realm_access.roles", {"realm_access": {"roles": ["offline_access", "bus-operators"]}}),
        ("resource_access.bus.roles", {"resource_access": {"bus": {"roles": ["bus-operators"]}}}),
        ("https://bank.example/groups", {"https://bank.example/groups": ["bus-operators"]}),
        ("roles", {"roles": ["bus-operators", 7, None, {"id": 1}]}),
    ],
)
async def test_groups_are_where_the_provider_puts_them(name: str, claims: dict[str, Any]) -> None:
    """One name, a list, a claim inside of others as Keycloak has it, a name with dots as Auth0 wants it."""
    async with signing_on(groups_claim=name) as (app, provider):
        provider.claims = {"groups": None, **claims}
        assert await Tab(app).sign_in(provider) == ""
        (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        assert user["roles"] == ["operator"]


async def test_what_the_token_does_not_say_is_asked_at_the_userinfo_endpoint() -> None:
    """Okta's org authorization server tells name and groups there alone; what the token says counts first."""
    async with signing_on() as (app, provider):
        provider.claims = {"preferred_username": None, "groups": None}
        provider.user_info = {"preferred_username": "vera", "groups": ["bus-operators"]}
        tab = Tab(app)
        assert (await tab.sign_in(provider), await tab.who()) == ("", "vera")
        (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        assert user["roles"] == ["operator"]
        provider.claims = {"groups": ["bus-viewers"]}
        provider.user_info = {"groups": ["bus-admins"]}
        assert await Tab(app).sign_in(provider) == ""
        (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        assert user["roles"] == ["viewer"]
        assert provider.asked.count("/userinfo") == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda: JSONResponse({"sub": "somebody-else", "groups": ["bus-admins"]}), "unproven"),
        (lambda: JSONResponse({"groups": ["bus-admins"]}), "unproven"),
        (lambda: JSONResponse({"sub": "subject-1", "groups": ["bus-admins"]}, 500), "unavailable"),
        (lambda: Response("eyJhbGciOiJub25lIn0.e30.", 200, media_type="application/jwt"), "unavailable"),
        (lambda: JSONResponse(["bus-admins"]), "unavailable"),
    ],
)
async def test_nobody_gains_or_loses_roles_by_an_endpoint_that_fails(answer: Any, problem: str) -> None:
    """Who is known keeps the roles and the sessions; the sign-in is refused until the groups are told."""
    async with signing_on() as (app, provider):
        known, provider.user_info = Tab(app), {}
        assert await known.sign_in(provider) == ""
        provider.claims = {"groups": None}
        provider.answers["/userinfo"] = answer
        assert await Tab(app).sign_in(provider) == problem
        assert await known.who() == "vera"
        (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        assert user["roles"] == ["viewer"]


async def test_a_name_alone_keeps_nobody_out() -> None:
    """Where roles are given here and the account is known, its name at the provider is not needed."""
    async with signing_on(roles={}) as (app, provider):
        provider.user_info = {}
        assert await Tab(app).sign_in(provider) == ""
        provider.claims = {"preferred_username": None, "groups": None}
        provider.answers["/userinfo"] = lambda: Response("", 503)
        assert await Tab(app).sign_in(provider) == ""


@pytest.mark.parametrize(
    "overage",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example/me"}}},
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
async def test_groups_that_are_too_many_are_not_taken_for_none(overage: dict[str, Any]) -> None:
    """Entra leaves them out and says so: nobody loses roles by it, and the page says what to do."""
    async with signing_on() as (app, provider):
        known = Tab(app)
        assert await known.sign_in(provider) == ""
        provider.claims = {"groups": None, **overage}
        assert await Tab(app).sign_in(provider) == "groups"
        assert await known.who() == "vera"
        (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        assert user["roles"] == ["viewer"]


async def test_a_mail_that_nobody_verified_is_only_a_name() -> None:
    """Entra does not say `email_verified`, Google does; nobody is recognised by either."""
    for verified in ({}, {"email_verified": False}, {"email_verified": "true"}):
        async with signing_on(username_claim="email") as (app, provider):
            provider.claims = {"email": "vera@bank.example", "preferred_username": None, **verified}
            tab = Tab(app)
            assert (await tab.sign_in(provider), await tab.who()) == ("", "vera@bank.example")


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_post", "client_secret_basic"], ["none"]])
async def test_the_secret_goes_where_the_provider_takes_it(methods: list[str]) -> None:
    """In the form or in a header."""
    async with signing_on() as (app, provider):
        provider.metadata = {"token_endpoint_auth_methods_supported": methods}
        assert await Tab(app).sign_in(provider) == ""


@pytest.mark.parametrize(
    ("issuer", "counts"), [("https://accounts.google.com", True), ("https://other.example", False)]
)
async def test_google_may_leave_out_the_scheme(issuer: str, counts: bool) -> None:
    """In tokens, and only Google."""
    claims = {"iss": issuer.removeprefix("https://"), "aud": CLIENT_ID, "azp": CLIENT_ID, "sub": "1", "nonce": "n"}
    async with IdentityProvider() as provider:
        token = provider.signed({**claims, "iat": 1_000, "exp": 2_000})
        keys = load_keys(json.dumps(provider.key.as_dict(private=False)))
    expected = ExpectedToken(issuer, CLIENT_ID, "n")
    if counts:
        assert read_id_token(token, keys, expected, 1_500)["sub"] == "1"
    else:
        with pytest.raises(IdTokenError, match="another issuer"):
            read_id_token(token, keys, expected, 1_500)
