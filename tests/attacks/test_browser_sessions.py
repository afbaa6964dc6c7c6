"""Whoever makes a browser send something, or brings a cookie along, acts as nobody else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bpm.testing import ADMINISTRATOR, PASSWORD, Clock, RunningApp, running_app
from tests.attacks.people import PASSWORD as THEIRS
from tests.attacks.people import person

pytestmark = pytest.mark.anyio

CMD, SESSION = "/console/api/cmd", "/console/api/session"
LOCAL = {"sec-fetch-site": "same-origin", "origin": "http://localhost:8000"}
SECURE = {"sec-fetch-site": "same-origin", "origin": "https://bus.bank.example"}
WHO = {"$type": "GetOwnAccountQuery"}


async def send(
    app: RunningApp, path: str, body: Any, headers: Mapping[str, str], cookie: str = "", method: str = "POST"
) -> httpx.Response:
    """Send as a browser would, with just this cookie."""
    transport = httpx.ASGITransport(app=app.app, client=("127.0.0.1", 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm.test") as http:
        return await http.request(
            method, path, json=body, headers={**headers, **({"cookie": cookie} if cookie else {})}
        )


async def sign_in(
    app: RunningApp,
    name: str = ADMINISTRATOR,
    password: str = PASSWORD,
    former: str = "",
    site: Mapping[str, str] = LOCAL,
) -> str:
    """Sign in and return the cookie as it is sent back."""
    answer = await send(app, SESSION, {"username": name, "password": password}, site, former)
    assert answer.status_code == 200, answer.text
    return answer.headers["set-cookie"].split(";")[0]


async def who(app: RunningApp, cookie: str, site: Mapping[str, str] = LOCAL) -> str | int:
    """Return as whom a cookie is known, or the status of the refusal."""
    answer = await send(app, CMD, WHO, site, cookie)
    return answer.json()["data"]["name"] if answer.status_code == 200 else answer.status_code


async def test_a_cookie_does_what_its_user_may_and_no_more() -> None:
    """The same bus, the same rights: a viewer reads, and is refused in the words of the other address."""
    async with running_app() as app:
        await person(app, "vera", "viewer")
        cookie = await sign_in(app, "vera", THEIRS)
        assert await who(app, cookie) == "vera"
        refused = await send(app, CMD, {"$type": "CreateUserCommand", "username": "evil"}, LOCAL, cookie)
        assert refused.status_code == 403
        assert "users:write" in refused.text


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "", "same-origin, same-origin", "SAME-ORIGIN"])
@pytest.mark.parametrize("path", [CMD, SESSION])
async def test_no_other_page_sends_with_the_cookie(site: str, path: str) -> None:
    """What another site, another port of this host, or the address line sends is refused, also a sign-in."""
    async with running_app() as app:
        cookie = await sign_in(app)
        body = WHO if path == CMD else {"username": ADMINISTRATOR, "password": PASSWORD}
        answer = await send(app, path, body, {**LOCAL, "sec-fetch-site": site}, cookie)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        without = await send(app, path, body, {"origin": LOCAL["origin"]}, cookie)
        assert without.status_code == 403


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_no_form_speaks_to_the_bus(content_type: str) -> None:
    """A body of a type that a form can send is not read, even if it is JSON."""
    async with running_app() as app:
        cookie = await sign_in(app)
        answer = await send(app, CMD, WHO, {**LOCAL, "content-type": content_type}, cookie)
        assert answer.status_code == 415


@pytest.mark.parametrize(
    "origin",
    [
        "http://bus.bank.example",
        "http://10.0.0.1",
        "null",
        "",
        "ftp://localhost",
        "http://[",
        "http://localhost.evil.example",
    ],
)
async def test_no_password_is_taken_where_others_could_read_it(origin: str) -> None:
    """Over plain http there is no session but on the machine itself."""
    async with running_app() as app:
        answer = await send(
            app, SESSION, {"username": ADMINISTRATOR, "password": PASSWORD}, {**LOCAL, "origin": origin}
        )
        assert answer.status_code in (400, 403)
        assert "set-cookie" not in answer.headers


async def test_the_cookie_over_https_is_bound_to_the_host() -> None:
    """It has a name that no other host can set, no script reads it, and the name for plain http is not looked at."""
    async with running_app() as app:
        answer = await send(app, SESSION, {"username": ADMINISTRATOR, "password": PASSWORD}, SECURE)
        given = answer.headers["set-cookie"]
        assert given.startswith("__Host-bpm-session=")
        assert set(given.split("; ")[1:]) == {"Path=/", "HttpOnly", "SameSite=Strict", "Secure"}
        cookie = given.split(";")[0]
        assert await who(app, cookie, SECURE) == ADMINISTRATOR
        assert await who(app, cookie.removeprefix("__Host-"), SECURE) == 401
        local = await sign_in(app)
        assert local.startswith("bpm-session=")
        assert await who(app, local, SECURE) == 401


async def test_a_cookie_opens_no_other_address_and_a_token_not_this_one() -> None:
    """`/api/bpm/cmd` goes by `Authorization` alone, `/console/api/cmd` by the cookie alone."""
    async with running_app() as app:
        cookie = await sign_in(app)
        value = cookie.partition("=")[2]
        assert (await send(app, "/api/bpm/cmd", WHO, LOCAL, cookie)).status_code == 401
        assert (await send(app, "/api/bpm/cmd", WHO, {"authorization": f"Bearer {value}"})).status_code == 401
        token = await app.request("POST", "/api/auth/token", {"username": ADMINISTRATOR, "password": PASSWORD})
        bearer = {"authorization": f"Bearer {token.body['access_token']}"}
        assert (await send(app, CMD, WHO, {**LOCAL, **bearer})).status_code == 401
        assert (await send(app, CMD, WHO, LOCAL, f"bpm-session={token.body['access_token']}")).status_code == 401


async def test_a_cookie_that_was_brought_along_is_worth_nothing() -> None:
    """Signing in gives a new cookie and ends the session of the one that came with it."""
    async with running_app() as app:
        planted = await sign_in(app)
        fresh = await sign_in(app, former=planted)
        assert fresh != planted
        assert await who(app, planted) == 401
        assert await who(app, fresh) == ADMINISTRATOR
        made_up = await sign_in(app, former="bpm-session=chosen-by-the-attacker")
        assert "chosen-by-the-attacker" not in made_up


async def test_two_cookies_are_none() -> None:
    """Which of two was set by whom nobody knows, in one header or in two."""
    async with running_app() as app:
        mine, other = await sign_in(app), await sign_in(app)
        assert await who(app, f"{mine}; {other}") == 400
        assert await who(app, f"a=1; {other};{mine}") == 400
        assert await who(app, f"{mine}, {other}") == 401
        assert await who(app, f"a=1; {mine}; b=2") == ADMINISTRATOR


async def test_what_ends_a_session_ends_it_at_once() -> None:
    """Signing out, signing out everywhere, another password, and disabling the user."""
    async with running_app() as app:
        vera = await person(app, "vera", "viewer")
        one, other = await sign_in(app, "vera", THEIRS), await sign_in(app, "vera", THEIRS)
        out = await send(app, SESSION, None, LOCAL | {"content-type": "application/json"}, one, "DELETE")
        assert "Max-Age=0" in out.headers["set-cookie"]
        assert (await who(app, one), await who(app, other)) == (401, "vera")

        await send(app, CMD, {"$type": "EndAllSessionsCommand"}, LOCAL, other)
        assert await who(app, other) == 401
        assert not (await app.cmd("GetSessionListQuery", userId=vera.id, isOpen=True))["items"]

        renewed = await sign_in(app, "vera", THEIRS)
        await app.cmd("UpdateUserCommand", id=vera.id, password="Another-horse-11")
        assert await who(app, renewed) == 401
        again = await sign_in(app, "vera", "Another-horse-11")
        await app.cmd("DisableUserCommand", id=vera.id)
        assert await who(app, again) == 401


async def test_a_session_ends_by_itself() -> None:
    """After an hour without use, and twelve hours after it began however much it is used."""
    clock = Clock()
    async with running_app(clock=clock) as app:
        idle = await sign_in(app)
        clock.advance(timedelta(minutes=59))
        assert await who(app, idle) == ADMINISTRATOR
        clock.advance(timedelta(minutes=61))
        app.app.accounts.forget()
        assert await who(app, idle) == 401

        busy = await sign_in(app)
        for _ in range(24):
            clock.advance(timedelta(minutes=29, seconds=59))
            app.app.accounts.forget()
            assert await who(app, busy) == ADMINISTRATOR
            await app.app.accounts.browsers.stop()
        clock.advance(timedelta(minutes=2))
        app.app.accounts.forget()
        assert await who(app, busy) == 401


async def test_nobody_sees_or_ends_the_sessions_of_others() -> None:
    """Neither with a session nor with a key; somebody who administers users does both."""
    async with running_app() as app:
        vera = await person(app, "vera", "viewer", permissions=())
        pat = await person(app, "pat", "publisher")
        theirs = await sign_in(app, "vera", THEIRS)
        (row,) = (await app.cmd("GetSessionListQuery", userId=vera.id))["items"]
        assert not {"hash", "cookie"} & row.keys()
        for fields in ({"userId": vera.id}, {"everybody": True}):
            assert (await pat.client.send("GetSessionListQuery", fields)).status == 403
        assert (await pat.client.send("EndSessionCommand", {"id": row["id"]})).status == 404
        assert (await pat.client.send("EndAllSessionsCommand", {"userId": vera.id})).status == 403
        assert await who(app, theirs) == "vera"
        await app.cmd("EndSessionCommand", id=row["id"])
        assert await who(app, theirs) == 401


async def test_guessing_is_slowed_down_as_at_the_other_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both doors count the same tries, and refuse in the same words."""
    monkeypatch.setattr("bpm.accounts.attempts.PATIENCE_SECONDS", 0)
    async with running_app() as app:
        wrong = {"username": "vera", "password": "wrong-pass-1234"}
        seen = [(await send(app, SESSION, wrong, LOCAL)).status_code for _ in range(8)]
        seen += [(await app.request("POST", "/api/auth/token", wrong)).status for _ in range(4)]
        assert seen == [401] * 10 + [429] * 2


async def test_a_browser_too_many_signs_the_oldest_out() -> None:
    """Rows of one user are bounded, and each opening and ending is in the audit log."""
    async with running_app() as app:
        first = await sign_in(app)
        for _ in range(20):
            await sign_in(app)
        assert await who(app, first) == 401
        assert (await app.cmd("GetSessionListQuery", isOpen=True))["totalCount"] == 20
        lines = await app.cmd("GetAuditLogQuery", messageType="ConsoleSignIn", pageSize=50)
        assert {(line["principalName"], line["address"]) for line in lines["items"]} == {(ADMINISTRATOR, "127.0.0.1")}
        assert lines["totalCount"] == 21


async def test_no_rule_is_shown_the_cookie() -> None:
    """A browser sends it to the addresses of webhooks, too; whoever writes a rule there learns nothing from it."""
    async with running_app() as app:
        await app.rule("script", executionType=2, executionCode="reply(200, {'h': headers})", responseMode="sync")
        await app.rule("template", commandName="PublishEventCommand", parameters={"event": "{{headers.cookie}}"})
        cookie = f"{await sign_in(app)}; {await sign_in(app, site=SECURE)}"
        values = [pair.partition("=")[2] for pair in cookie.split("; ")]
        said = [(await app.hook(key, {}, {"cookie": cookie})).body for key in ("script", "template")]
        stored = [
            await app.cmd("GetInboundRequestByIdQuery", requestId=each["requestId"]) for each in await app.requests()
        ]
        assert {request["headers"]["cookie"] for request in stored} == {"***"}
        assert not [value for value in values if value in str([said, stored])]
        rows = await app.app.database.read(
            lambda tx: tx.connection.exec_driver_sql("SELECT * FROM inbound_request").all()
        )
        assert len(rows) == 2
        assert not [value for value in values if value in str(rows)]


@pytest.mark.parametrize(
    "path", ["/api/auth/token/", "/console/api/session/", CMD + "/", "/openapi.json/", "/console//"]
)
async def test_no_address_leads_to_where_the_host_header_says(path: str) -> None:
    """A slash too many is an unknown address: to lead on would repeat a password at a stranger's host, or over http."""
    async with running_app() as app:
        for method in ("GET", "POST"):
            body = {"username": ADMINISTRATOR, "password": PASSWORD}
            answer = await send(app, path, body, {**LOCAL, "host": "evil.example"}, method=method)
            assert (answer.status_code, answer.headers.get("location")) == (404, None), method
