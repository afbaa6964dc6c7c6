"""Nobody comes in by single sign-on whom the provider did not sign in, here, just now, in this browser."""

import asyncio
import base64
import hmac
import itertools
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import structlog
from starlette.responses import RedirectResponse, Response

from bpm.clock import system_clock
from bpm.security.rate_limiter import RateLimit
from bpm.testing import ADMINISTRATOR, PASSWORD, Clock, RunningApp, running_app
from bpm.web.console.oidc import callback
from tests.attacks.people import person
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, DISCOVERY, IdentityProvider, ProviderAccount, new_key

pytestmark = pytest.mark.anyio

HERE = "http://127.0.0.1:8000"
PAGE = {"sec-fetch-site": "same-origin", "origin": HERE}
LED_BACK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
ROLES = {"bus-viewers": ["viewer"], "bus-operators": ["operator"], "bus-admins": ["admin"]}
WHO = {"$type": "GetOwnAccountQuery"}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Tab:
    """A browser before the console: it keeps cookies by their names, and `follow` leads it back from the provider."""

    _numbers = itertools.count(40_000)

    def __init__(self, app: RunningApp, address: str | None = None) -> None:
        self.app = app
        number = next(self._numbers)
        self.address = address or f"127.1.{number // 250 % 250}.{number % 250}"
        self.cookies: dict[str, str] = {}

    async def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = PAGE) -> httpx.Response:
        """Send as a browser would, and keep what it is given."""
        transport = httpx.ASGITransport(app=self.app.app, client=(self.address, 40000))
        sent = {**headers, "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as http:
            answer = await http.request(method, path, headers=sent, **({"json": body} if method == "POST" else {}))
        for given in answer.headers.get_list("set-cookie"):
            name, _, value = given.split(";")[0].partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in given:
                self.cookies[name] = value
        return answer

    async def begin(self) -> str:
        """Begin a sign-in and return where the browser goes."""
        answer = await self.send("POST", "/console/api/oidc", {})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["url"]

    async def follow(self, url: str, headers: Mapping[str, str] = LED_BACK) -> str:
        """Go where the provider leads back to; return the name of the problem, or nothing when signed in."""
        answer = await self.send("GET", url.removeprefix(HERE), headers=headers)
        assert answer.status_code == 303, answer.text
        place = answer.headers["location"]
        assert place in ("../../", f"../../?problem={place.partition('=')[2]}")
        return place.partition("=")[2]

    async def sign_in(self, provider: IdentityProvider, **changes: str) -> str:
        """Begin and go on; return the problem."""
        return await self.follow(provider.leads_back(await self.begin(), **changes))

    async def who(self) -> str | int:
        """Return as whom the browser is known, or the status of the refusal."""
        answer = await self.send("POST", "/console/api/cmd", WHO)
        return answer.json()["data"]["name"] if answer.status_code == 200 else answer.status_code


@asynccontextmanager
async def signing_on(
    clock: Callable[[], datetime] = system_clock, place: str = "", **oidc: Any
) -> AsyncGenerator[tuple[RunningApp, IdentityProvider]]:
    """A server and its provider."""
    async with IdentityProvider(place) as provider:
        settings = {
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "allowed_networks": "127.0.0.0/8",
            "roles": ROLES,
            "create_users": True,
            **oidc,
        }
        async with running_app(clock=clock, oidc=settings) as app:
            yield app, provider


async def test_whom_the_provider_signs_in_comes_in() -> None:
    """A new user with the roles of its groups, the second time the same user; each in the audit log."""
    async with signing_on() as (app, provider):
        first, second = Tab(app), Tab(app)
        assert (await first.sign_in(provider), await first.who()) == ("", "vera")
        assert (await second.sign_in(provider), await second.who()) == ("", "vera")
        assert set(first.cookies) == {"bpm-session"}
        users = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        assert [(user["username"], user["roles"], user["kind"]) for user in users] == [("vera", ["viewer"], "user")]
        lines = (await app.cmd("GetAuditLogQuery", principal="vera", pageSize=50))["items"]
        assert sorted(line["type"] for line in lines) == ["ConsoleSignIn", "ConsoleSignIn", "SingleSignOnUser"]
        refused = await first.send("POST", "/console/api/cmd", {"$type": "CreateUserCommand", "username": "evil"})
        assert refused.status_code == 403


async def test_what_the_provider_is_asked_holds_no_secret_and_its_cookie_is_bound() -> None:
    """PKCE by SHA-256, state and nonce that nobody guesses, and a cookie that no script and no other host reads."""
    async with signing_on() as (app, _):
        tab = Tab(app)
        answer = await tab.send("POST", "/console/api/oidc", {})
        asked = dict(parse_qsl(urlsplit(str(answer.json()["data"]["url"])).query))
        given = answer.headers["set-cookie"]
        assert set(given.split("; ")[1:]) == {"Max-Age=600", "Path=/", "HttpOnly", "SameSite=Lax"}
        assert asked["redirect_uri"] == f"{HERE}/console/api/oidc/callback"
        assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
            "code",
            "S256",
            "openid profile",
        )
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
        assert not [value for value in asked.values() if value in given]
        other = dict(parse_qsl(urlsplit(await Tab(app).begin()).query))
        assert not {asked[name] for name in ("state", "nonce", "code_challenge")} & set(other.values())


CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "several audiences, none named": {"aud": [CLIENT_ID, "other"]},
    "another authorised party": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "another authorised party alone": {"azp": "other"},
    "ended": {"exp": 1_000_000},
    "without an end": {"exp": None},
    "an end in words": {"exp": "never"},
    "an end that is true": {"exp": True},
    "of the future": {"iat": 9_999_999_999, "exp": 9_999_999_999},
    "not yet": {"nbf": 9_999_999_999},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "a nonce that is a list": {"nonce": ["another"]},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is a number": {"sub": 1},
    "a subject of any alphabet": {"sub": "v\0era"},
    "a subject that never ends": {"sub": "x" * 256},
}


async def test_a_token_that_is_not_for_this_sign_in_opens_nothing() -> None:
    """Signed by the right key, and of another issuer, client, time or sign-in."""
    async with signing_on() as (app, provider):
        for case, claims in CLAIMS.items():
            provider.claims = claims
            tab = Tab(app)
            assert (await tab.sign_in(provider), await tab.who()) == ("unproven", 401), case
            assert "bpm-session" not in tab.cookies
        assert (await app.cmd("GetUserListQuery"))["totalCount"] == 1


async def test_several_audiences_with_us_named_are_right() -> None:
    """Also a clock that is a minute off, in either direction."""
    async with signing_on() as (app, provider):
        provider.claims = {"aud": ["other", CLIENT_ID], "azp": CLIENT_ID}
        assert await Tab(app).sign_in(provider) == ""


def forgeries(provider: IdentityProvider) -> dict[str, Callable[[dict[str, Any]], str]]:
    """Return ways to sign a token that prove nothing."""
    public = provider.key.as_pem(private=False)
    other = new_key("another")

    def unsigned(claims: dict[str, Any]) -> str:
        signed = provider.signed(claims).split(".")
        return f"eyJhbGciOiJub25lIn0.{signed[1]}."

    def changed(claims: dict[str, Any]) -> str:
        head, _, proof = provider.signed(claims).split(".")
        body = provider.signed({**claims, "groups": ["bus-admins"]}).split(".")[1]
        return f"{head}.{body}.{proof}"

    def shared(key: bytes) -> Callable[[dict[str, Any]], str]:
        def sign(claims: dict[str, Any]) -> str:
            body = provider.signed(claims).split(".")[1]
            signed = _base64url(b'{"alg": "HS256"}') + "." + body
            return f"{signed}.{_base64url(hmac.digest(key, signed.encode(), 'sha256'))}"

        return sign

    return {
        "none": unsigned,
        "cut off": lambda claims: provider.signed(claims).rpartition(".")[0] + ".",
        "changed": changed,
        "another key": lambda claims: provider.signed(claims, other),
        "another key in its own head": lambda claims: provider.signed(claims, other, jwk=other.as_dict(private=False)),
        "the public key as a secret": shared(public),
        "the client's secret": shared(CLIENT_SECRET.encode()),
        "a key nobody has": lambda claims: provider.signed(claims, other, kid="two"),
        "no token": lambda _: "none",
        "nothing": lambda _: "",
        "a list": lambda _: provider.signed(["admin"]),  # pyright: ignore[reportArgumentType]
    }


async def test_a_token_that_the_provider_did_not_sign_opens_nothing() -> None:
    """Without a signature, by another key, by a shared secret, by a key it brings along."""
    async with signing_on() as (app, provider):
        for case, sign in forgeries(provider).items():
            provider.sign = sign
            tab = Tab(app)
            assert (await tab.sign_in(provider), await tab.who()) == ("unproven", 401), case


async def test_a_new_key_of_the_provider_is_fetched_when_it_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most once a minute, however many tokens name keys that nobody has."""
    async with signing_on() as (app, provider):
        assert await Tab(app).sign_in(provider) == ""
        provider.key = new_key("two")
        provider.sign = lambda claims: provider.signed(claims, kid="two")
        assert await Tab(app).sign_in(provider) == "unproven"
        assert provider.asked.count("/keys") == 1
        monkeypatch.setattr("bpm.web.console.oidc.document.RENEWED_SECONDS", -1)
        assert await Tab(app).sign_in(provider) == ""
        assert provider.asked.count("/keys") == 2


async def test_another_browser_gains_nothing_by_what_this_one_was_given() -> None:
    """Login CSRF: the attacker's own code and state, led back in a browser that did not ask, or asked for another."""
    async with signing_on() as (app, provider):
        attacker, victim = Tab(app), Tab(app)
        provider.account = ProviderAccount("evil", "evil", ["bus-viewers"])
        led_back = provider.leads_back(await attacker.begin())
        assert (await victim.follow(led_back), await victim.who()) == ("stale", 401)
        mine = await victim.begin()
        assert (await victim.follow(led_back), await victim.who()) == ("stale", 401)
        provider.account = ProviderAccount("subject-1", "vera", ["bus-viewers"])
        assert (await victim.follow(provider.leads_back(mine)), await victim.who()) == ("", "vera")


async def test_a_code_of_another_sign_in_is_worth_nothing() -> None:
    """Code injection: a stolen code with one's own state does not fit the verifier, nor its token the nonce."""
    async with signing_on() as (app, provider):
        victim, attacker = Tab(app), Tab(app)
        stolen = dict(parse_qsl(urlsplit(provider.leads_back(await victim.begin())).query))["code"]
        assert (await attacker.sign_in(provider, code=stolen), await attacker.who()) == ("unproven", 401)


async def test_a_sign_in_counts_once() -> None:
    """Replayed with the cookie of the first time, also where the provider takes a code twice; or after ten minutes."""
    clock = Clock()
    async with signing_on(clock) as (app, provider):
        provider.claims = {"iat": int(clock().timestamp()), "exp": int(clock().timestamp()) + 3600}
        tab = Tab(app)
        led_back = provider.leads_back(await tab.begin())
        kept = dict(tab.cookies)
        codes = dict(provider._codes)  # pyright: ignore[reportPrivateUsage]
        assert await tab.follow(led_back) == ""
        assert "bpm-sign-in" not in tab.cookies
        assert await tab.follow(led_back) == "stale"
        thief = Tab(app)
        thief.cookies = dict(kept)
        assert await thief.follow(led_back) == "unproven"
        thief.cookies = kept
        provider._codes |= codes  # pyright: ignore[reportPrivateUsage]
        assert (await thief.follow(led_back), await thief.who()) == ("stale", 401)
        late = Tab(app)
        led_back = provider.leads_back(await late.begin())
        clock.advance(timedelta(seconds=601))
        assert await late.follow(led_back) == "stale"


async def test_one_sign_in_led_back_twice_at_once_opens_one_session() -> None:
    """Whichever of the two is on disk first."""
    async with signing_on() as (app, provider):
        tab, twin = Tab(app), Tab(app)
        led_back = provider.leads_back(await tab.begin())
        twin.cookies = dict(tab.cookies)
        codes = dict(provider._codes)  # pyright: ignore[reportPrivateUsage]
        provider._codes = Unspent(codes)  # pyright: ignore[reportPrivateUsage]
        assert sorted(await asyncio.gather(tab.follow(led_back), twin.follow(led_back))) == ["", "stale"]


class Unspent(dict[str, Any]):
    """Codes that may be used again and again, as at a careless provider."""

    def pop(self, key: str, default: Any = None) -> Any:
        """Return one and keep it."""
        return self.get(key, default)


async def test_the_answer_of_another_provider_is_refused_before_the_code_is_used() -> None:
    """Mix-up (RFC 9207)."""
    async with signing_on() as (app, provider):
        assert await Tab(app).sign_in(provider, iss="https://evil.example") == "unproven"
        assert await Tab(app).sign_in(provider, iss="") == "unproven"
        assert "/token" not in provider.asked


async def test_a_provider_that_names_itself_must_do_so_each_time() -> None:
    """An answer without `iss` is only taken from a provider that never sends it."""
    async with signing_on() as (app, provider):
        tab = Tab(app)
        led_back = provider.leads_back(await tab.begin()).partition("&iss=")[0]
        assert await tab.follow(led_back) == "unproven"
    async with signing_on() as (app, provider):
        provider.metadata = {"authorization_response_iss_parameter_supported": False}
        tab = Tab(app)
        led_back = provider.leads_back(await tab.begin()).partition("&iss=")[0]
        assert await tab.follow(led_back) == ""


async def test_a_refusal_of_the_provider_is_told_in_words_of_our_own() -> None:
    """What stands in the address is shown nowhere, and leads nowhere else."""
    async with signing_on() as (app, provider):
        tab = Tab(app)
        led_back = provider.leads_back(
            await tab.begin(), error="access_denied", error_description="<script>", next="https://evil.example"
        )
        assert await tab.follow(led_back) == "refused"
        assert tab.cookies == {}


async def test_an_address_that_nobody_was_led_to_is_refused() -> None:
    """Whatever its fields are."""
    async with signing_on() as (app, _):
        for query in ("", "code=1", "state=1", "code=1&code=2&state=3", "%ff=1", "state=%ff", "&".join(["a=1"] * 30)):
            tab = Tab(app)
            await tab.begin()
            answer = await tab.send("GET", f"/console/api/oidc/callback?{query}", headers=LED_BACK)
            assert answer.headers.get("location", "") in ("", "../../?problem=stale"), query
            assert answer.status_code in (303, 400), query
            assert "bpm-session" not in tab.cookies


async def test_only_a_browser_that_shows_a_page_is_led_back() -> None:
    """No frame, image or script of another page goes there."""
    async with signing_on() as (app, provider):
        tab = Tab(app)
        url = provider.leads_back(await tab.begin()).removeprefix(HERE)
        for mode in ({}, {"sec-fetch-dest": "iframe"}, {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}):
            headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", **mode}
            assert (await tab.send("GET", url, headers=headers)).status_code == 403, mode
        assert (await tab.follow(url), await tab.who()) == ("", "vera")


async def test_no_other_page_and_no_other_address_begins_a_sign_in() -> None:
    """The cookie would stay there, and the browser come back here."""
    async with signing_on() as (app, _):
        for changed in (
            {"sec-fetch-site": "cross-site"},
            {"origin": "http://localhost:8000"},
            {"origin": "https://127.0.0.1:8000"},
        ):
            answer = await Tab(app).send("POST", "/console/api/oidc", {}, {**PAGE, **changed})
            assert answer.status_code == 403, changed
            assert "set-cookie" not in answer.headers


async def test_nobody_is_recognised_by_name_or_mail() -> None:
    """An account of the provider that is called as a user here is another person until somebody connects them."""
    async with signing_on(username_claim="email") as (app, provider):
        provider.claims = {"email": ADMINISTRATOR.upper(), "email_verified": True, "groups": ["bus-admins"]}
        assert await Tab(app).sign_in(provider) == "name"
        vera = await person(app, "vera", "viewer")
        provider.claims = {"email": "vera"}
        assert await Tab(app).sign_in(provider) == "name"
        await app.cmd("LinkIdentityCommand", userId=vera.id, subject="subject-1")
        tab = Tab(app)
        assert (await tab.sign_in(provider), await tab.who()) == ("", "vera")
        provider.account.name = provider.claims["email"] = "renamed"
        assert (await tab.sign_in(provider), await tab.who()) == ("", "vera")
        provider.account.subject = "subject-2"
        provider.claims["email"] = "vera"
        assert await Tab(app).sign_in(provider) == "name"


async def test_users_are_made_only_where_a_setting_allows_it() -> None:
    """And never without a role, where groups give roles."""
    async with signing_on(create_users=False) as (app, provider):
        assert await Tab(app).sign_in(provider) == "unknown"
    async with signing_on() as (app, provider):
        provider.account.groups = ["others", "viewer", "admin"]
        assert await Tab(app).sign_in(provider) == "no-role"
        provider.claims = {"groups": None}
        assert await Tab(app).sign_in(provider) == "no-role"
        assert (await app.cmd("GetUserListQuery"))["totalCount"] == 1
        provider.claims = {"groups": "bus-viewers", "preferred_username": "user:1"}
        assert await Tab(app).sign_in(provider) == "name"


async def test_what_the_provider_takes_away_is_gone_at_the_next_sign_in() -> None:
    """In every browser, and for keys as well; whoever has no role left is signed out everywhere."""
    async with signing_on() as (app, provider):
        provider.account.groups = ["bus-admins", "bus-viewers"]
        tab, other = Tab(app), Tab(app)
        assert await tab.sign_in(provider) == ""
        made = await tab.send(
            "POST", "/console/api/cmd", {"$type": "CreateApiKeyCommand", "name": "k", "scopes": ["*:read"]}
        )
        key = {"authorization": f"Bearer {made.json()['data']['key']}"}
        provider.account.groups = ["bus-operators"]
        assert await other.sign_in(provider) == ""
        create = {"$type": "CreateUserCommand", "username": "evil"}
        assert (await tab.send("POST", "/console/api/cmd", create)).status_code == 403
        assert (await tab.send("POST", "/api/bpm/cmd", {"$type": "GetUserListQuery"}, key)).status_code == 200
        provider.account.groups = []
        assert await Tab(app).sign_in(provider) == "no-role"
        assert (await tab.who(), await other.who()) == (401, 401)
        assert (await tab.send("POST", "/api/bpm/cmd", {"$type": "GetUserListQuery"}, key)).status_code == 403
        lines = (await app.cmd("GetAuditLogQuery", messageType="SingleSignOnRoles"))["items"]
        assert [line["fields"]["roles"] for line in lines] == [[], ["operator"]]


async def test_who_is_disabled_here_stays_out_whatever_the_provider_says() -> None:
    """Also whoever's account was disconnected, and they are not made anew under their name."""
    async with signing_on() as (app, provider):
        tab = Tab(app)
        assert await tab.sign_in(provider) == ""
        (user,) = (await app.cmd("GetUserListQuery", searchText="vera"))["items"]
        await app.cmd("DisableUserCommand", id=user["id"])
        assert (await tab.who(), await Tab(app).sign_in(provider)) == (401, "disabled")
        await app.cmd("UpdateUserCommand", id=user["id"], isEnabled=True)
        assert (await tab.sign_in(provider), await tab.who()) == ("", "vera")
        (identity,) = (await app.cmd("GetIdentityListQuery", userId=user["id"]))["items"]
        await app.cmd("UnlinkIdentityCommand", id=identity["id"])
        assert (await tab.who(), await Tab(app).sign_in(provider)) == (401, "name")


async def test_a_password_opens_one_account_where_the_settings_say_so() -> None:
    """Of others neither a password nor what was signed in with one before counts, in the same words as a wrong one."""
    async with signing_on(break_glass_user=ADMINISTRATOR) as (app, provider):
        await app.cmd("CreateUserCommand", username="pat", password="Correct-horse-battery-7", roles=["admin"])
        told: set[str] = set()
        for name, password in (
            ("pat", "Correct-horse-battery-7"),
            ("pat", "wrong"),
            ("nobody", "wrong"),
            (ADMINISTRATOR, "wrong"),
        ):
            fields = {"username": name, "password": password}
            for path in ("/console/api/session", "/api/auth/token"):
                answer = await Tab(app).send("POST", path, fields)
                assert answer.status_code == 401
                told.add(json.dumps(answer.json()["errors"]))
        assert len(told) == 1
        right = {"username": ADMINISTRATOR.upper(), "password": PASSWORD}
        assert (await Tab(app).send("POST", "/console/api/session", right)).status_code == 200
        assert await Tab(app).sign_in(provider) == ""


async def test_what_was_signed_in_with_a_password_ends_when_passwords_are_switched_off() -> None:
    """Browsers, access tokens and refresh tokens of all others, with the server's next start."""
    async with running_app() as app:
        await app.cmd("CreateUserCommand", username="pat", password="Correct-horse-battery-7", roles=["viewer"])
        tab, pat = Tab(app), {"username": "pat", "password": "Correct-horse-battery-7"}
        tokens = (await tab.send("POST", "/api/auth/token", pat)).json()
        assert (await tab.send("POST", "/console/api/session", pat)).status_code == 200
        assert await tab.who() == "pat"
        app.app.accounts.sessions._break_glass_user = ADMINISTRATOR  # pyright: ignore[reportPrivateUsage]
        app.app.accounts.forget()
        assert await tab.who() == 401
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await tab.send("POST", "/api/bpm/cmd", WHO, bearer)).status_code == 401
        renewed = await tab.send("POST", "/api/auth/token", {"refresh_token": tokens["refresh_token"]})
        assert renewed.status_code == 401


async def test_sessions_of_a_provider_that_is_no_more_end() -> None:
    """Another issuer's sessions do not count."""
    async with signing_on() as (app, provider):
        tab = Tab(app)
        assert await tab.sign_in(provider) == ""
        app.app.accounts.browsers._issuer = "https://another.example"  # pyright: ignore[reportPrivateUsage]
        app.app.accounts.forget()
        assert await tab.who() == 401


METADATA: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "no issuer": {"issuer": None},
    "a script for an address": {"authorization_endpoint": "javascript:alert(1)"},
    "no address": {"token_endpoint": 7},
    "a file for keys": {"jwks_uri": "file:///etc/passwd"},
    "a password in an address": {"token_endpoint": "https://user:pass@evil.example/"},
}
UNUSUAL: list[Any] = [None, True, 7, 10**400, "", "client_secret_basic", {"client_secret_basic": 1}, [], [None, 7]]


async def test_what_a_provider_says_about_itself_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its issuer is the one of the settings, its addresses are such."""
    monkeypatch.setattr("bpm.web.console.oidc.document.FAILED_SECONDS", -1)
    async with signing_on() as (app, provider):
        for case, metadata in METADATA.items():
            provider.metadata = metadata
            answer = await Tab(app).send("POST", "/console/api/oidc", {})
            assert answer.status_code == 503, case
            assert "set-cookie" not in answer.headers


async def test_a_description_of_any_kind_is_no_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands where ways to prove a client are listed; what can't be read is the usual way."""
    monkeypatch.setattr("bpm.web.console.oidc.document.FRESH_SECONDS", -1)
    async with signing_on() as (app, provider):
        for methods in UNUSUAL:
            provider.metadata = {"token_endpoint_auth_methods_supported": methods}
            assert await Tab(app).sign_in(provider) == "", methods


@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
async def test_a_provider_that_answers_badly_costs_little(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A huge answer, one that leads elsewhere, one that breaks, none in time: no session, and no error of ours."""
    monkeypatch.setattr("bpm.web.console.oidc.document.FAILED_SECONDS", -1)
    async with signing_on() as (app, provider):
        answers: dict[str, Callable[[], Response]] = {
            "huge": lambda: Response(b'{"a": "' + b"x" * 500_000, 200),
            "redirect": lambda: RedirectResponse(f"{provider.url}/elsewhere", 307),
            "broken": lambda: Response(b"{" * 60_000, 200),
            "error": lambda: Response(b"no", 500),
            "not json": lambda: Response(b"\xff\xfe secret", 200),
        }
        for kind, answer in answers.items():
            provider.answers[path] = answer
            assert await _come_back(app, provider) in ("unavailable", "unproven"), kind
        provider.delays[path] = 120
        monkeypatch.setattr("bpm.web.console.oidc.client.TIMEOUT_SECONDS", 0.2)
        assert await _come_back(app, provider) == "unavailable"
        assert "/elsewhere" not in provider.asked


async def _come_back(app: RunningApp, provider: IdentityProvider) -> str:
    """Begin and go on; return the problem, also where one can't even begin."""
    tab = Tab(app)
    begun = await tab.send("POST", "/console/api/oidc", {})
    if begun.status_code != 200:
        assert (begun.status_code, "set-cookie" in begun.headers) == (503, False)
        return "unavailable"
    problem = await tab.follow(provider.leads_back(begun.json()["data"]["url"]))
    assert "bpm-session" not in tab.cookies
    return problem


async def test_a_provider_that_is_away_is_not_asked_by_everybody() -> None:
    """A failure counts for ten seconds; what was known before counts for a day."""
    async with signing_on() as (app, provider):
        provider.answers[DISCOVERY] = lambda: Response(b"no", 500)
        answers = await asyncio.gather(*(Tab(app).send("POST", "/console/api/oidc", {}) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {503}
        assert provider.asked.count(DISCOVERY) == 1


async def test_codes_of_one_address_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever begins and comes back without end keeps the provider busy no more than a person would."""
    monkeypatch.setattr(callback, "ADDRESS", RateLimit(20, 600.0))
    async with signing_on() as (app, provider):
        seen = [await Tab(app, "203.0.113.9").sign_in(provider, code="made-up") for _ in range(25)]
        assert seen[:20] == ["unproven"] * 20
        assert "busy" in seen[20:]


async def test_a_provider_in_a_private_network_must_be_allowed() -> None:
    """What the provider names as its addresses is asked only where the settings allow it."""
    async with signing_on(allowed_networks="") as (app, provider):
        answer = await Tab(app).send("POST", "/console/api/oidc", {})
        assert answer.status_code == 503
        assert "BPM_OIDC__ALLOWED_NETWORKS" in answer.text
        assert provider.asked == []


async def test_no_secret_is_logged_or_answered() -> None:
    """Neither the client's secret nor a code, a token, or what the browser keeps."""
    with structlog.testing.capture_logs() as lines:
        async with signing_on() as (app, provider):
            answers: list[str] = []
            refusals: list[dict[str, Any]] = [{}, {"aud": "other"}, {"groups": None}]
            for claims in refusals:
                provider.claims = claims
                tab = Tab(app)
                led_back = provider.leads_back(await tab.begin())
                kept = [*tab.cookies.values(), dict(parse_qsl(urlsplit(led_back).query))["code"], CLIENT_SECRET]
                answer = await tab.send("GET", led_back.removeprefix(HERE), headers=LED_BACK)
                answers.append(answer.text + str(answer.headers.get("location")))
                assert not [value for value in kept if value in str(lines) + str(answers)]
            settings = await app.cmd("GetSettingsQuery")
            assert CLIENT_SECRET not in str(settings)


async def test_without_a_provider_there_is_no_door() -> None:
    """Neither to begin nor to come back to; the sign-in page is told so."""
    async with running_app() as app:
        tab = Tab(app)
        assert (await tab.send("POST", "/console/api/oidc", {})).status_code == 404
        assert (await tab.send("GET", "/console/api/oidc/callback?code=1&state=1", headers=LED_BACK)).status_code == 404
        described = await tab.send("GET", "/console/api/oidc")
        assert described.json()["data"] == {"singleSignOn": None, "passwordsAreForOne": False}
