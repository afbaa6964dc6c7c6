"""Signing in, going on and signing out over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from bpm.accounts import Accounts
from bpm.accounts.keys import generate_key
from bpm.accounts.tables import ApiKey
from bpm.security.rate_limiter import RateLimit
from bpm.settings import Settings
from bpm.store import Database, utc_now
from bpm.web.auth import auth_routes

pytestmark = pytest.mark.anyio

KEY = b"a key of thirty-two bytes or more"
PASSWORD = "Correct-horse-battery-9"
RIGHT = {"username": "admin", "password": PASSWORD}


@pytest.fixture
async def accounts(database: Database, tmp_path: Path) -> AsyncIterator[Accounts]:
    settings = Settings(data_dir=tmp_path, admin_username="admin", admin_password=SecretStr(PASSWORD))
    accounts = Accounts(database, settings, KEY)
    await accounts.ensure_administrator()
    yield accounts
    await accounts.stop()


@pytest.fixture
async def client(accounts: Accounts) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(trusted_proxies="127.0.0.1")
    transport = httpx.ASGITransport(Starlette(routes=auth_routes(accounts, settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm") as client:
        yield client


def assert_refused(answer: httpx.Response, status: int) -> list[str]:
    """Check the envelope of a refusal and return its sentences."""
    body = answer.json()
    assert answer.status_code == status
    assert list(body) == ["success", "data", "message", "errors"]
    assert body["success"] is False
    assert body["data"] is None
    assert body["message"]
    assert body["errors"]
    assert answer.headers["x-request-id"]
    return body["errors"]


async def test_json_and_form_give_the_same_answer(client: httpx.AsyncClient) -> None:
    """A password in JSON or in a form gives exactly the four members of OAuth, not to be stored by anybody."""
    for answer in (await client.post("/api/auth/token", json=RIGHT), await client.post("/api/auth/token", data=RIGHT)):
        body = answer.json()
        assert answer.status_code == 200
        assert list(body) == ["access_token", "token_type", "expires_in", "refresh_token"]
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"


async def test_the_token_opens_the_door(client: httpx.AsyncClient, accounts: Accounts) -> None:
    """The access token is recognised as its user."""
    body = (await client.post("/api/auth/token", json=RIGHT)).json()
    assert (await accounts.authenticate(f"Bearer {body['access_token']}", "")).name == "admin"


async def test_the_caller_s_request_id_comes_back(client: httpx.AsyncClient) -> None:
    """A request id that was sent stands on the answer."""
    answer = await client.post("/api/auth/token", json=RIGHT, headers={"X-Request-Id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"


@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": "password", **RIGHT},
        {**RIGHT, "scope": "all", "client_id": "x"},
        {"username": "ADMIN", "password": PASSWORD},
    ],
)
async def test_what_oauth_clients_add_is_no_obstacle(client: httpx.AsyncClient, fields: dict[str, str]) -> None:
    """A grant type and parameters that are not known do not disturb, nor do capitals in the name."""
    assert (await client.post("/api/auth/token", data=fields)).status_code == 200


async def test_a_refresh_token_rotates_and_is_good_once(client: httpx.AsyncClient) -> None:
    """A refresh token gives a new pair; used again it is refused, and ends the new pair too."""
    first = (await client.post("/api/auth/token", json=RIGHT)).json()
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    answer = await client.post("/api/auth/token", data=fields)
    assert answer.status_code == 200
    assert_refused(await client.post("/api/auth/token", data=fields), 401)
    assert_refused(await client.post("/api/auth/token", json={"refresh_token": answer.json()["refresh_token"]}), 401)


async def test_wrong_credentials_are_refused_in_the_same_words(client: httpx.AsyncClient) -> None:
    """A wrong password and an unknown user get byte for byte the same answer, which names the scheme."""
    headers = {"X-Request-Id": "same"}
    answers = [
        await client.post("/api/auth/token", json={"username": name, "password": "wrong"}, headers=headers)
        for name in ("admin", "nobody")
    ]
    for answer in answers:
        assert assert_refused(answer, 401) == ["The username or the password is wrong"]
        assert answer.headers["www-authenticate"] == "Bearer"
    assert answers[0].content == answers[1].content
    assert answers[0].headers == answers[1].headers


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b"[1]", 400),
        ("application/json", b'{"username":"a","username":"b","password":"c"}', 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        ("application/x-www-form-urlencoded", b"username=a&username=b", 400),
        ("application/x-www-form-urlencoded", b"username=%ff%fe&password=x", 400),
        ("application/x-www-form-urlencoded", b"\xff\xfe", 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 1000, 400),
        ("application/json", b'{"username":"' + b"a" * 70_000 + b'"}', 413),
        ("text/plain", b"username=a", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        (None, b"username=a", 415),
        ("application/json", b"{}", 422),
        ("application/json", b'{"username":"admin"}', 422),
        ("application/json", b'{"password":"x"}', 422),
        ("application/json", b'{"username":1,"password":["x"]}', 422),
        ("application/json", b'{"refresh_token":{}}', 422),
        ("application/json", b'{"grant_type":"client_credentials"}', 422),
        ("application/json", b'{"grant_type":"refresh_token","username":"a","password":"b"}', 422),
        ("application/x-www-form-urlencoded", b"", 422),
        ("application/x-www-form-urlencoded; charset=UTF-8", b"username=a", 422),
        ("application/json", b'{"refresh_token":""}', 401),
        ("application/json", b'{"username":"","password":""}', 401),
        ("application/json", b'{"username":"a\\u0000b","password":"c"}', 401),
    ],
)
async def test_bad_requests_are_refused(
    client: httpx.AsyncClient, content_type: str | None, body: bytes, status: int
) -> None:
    """Every kind of broken or incomplete body has its status and a sentence."""
    headers = {"Content-Type": content_type} if content_type else {}
    assert_refused(await client.post("/api/auth/token", content=body, headers=headers), status)


async def test_every_missing_field_is_named(client: httpx.AsyncClient) -> None:
    """An empty object is answered with both fields it lacks."""
    answer = await client.post("/api/auth/token", json={})
    assert assert_refused(answer, 422) == ["username: is required", "password: is required"]


@pytest.mark.parametrize("path", ["/api/auth/token", "/api/auth/revoke"])
async def test_only_post_is_answered(client: httpx.AsyncClient, path: str) -> None:
    """Another method is refused with the one that is allowed."""
    answer = await client.get(path)
    assert_refused(answer, 405)
    assert answer.headers["allow"] == "POST"


async def test_too_many_tries_must_wait(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten wrong passwords the next try, right or wrong, is told how long to wait."""
    monkeypatch.setattr("bpm.accounts.attempts.PATIENCE_SECONDS", 0)
    for _ in range(10):
        assert_refused(await client.post("/api/auth/token", json={**RIGHT, "password": "wrong"}), 401)
    answer = await client.post("/api/auth/token", json=RIGHT)
    assert_refused(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_tries_are_counted_by_the_client_s_address(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a trusted proxy the client's own address is counted, so that one client does not lock out others."""
    monkeypatch.setattr("bpm.accounts.attempts.PATIENCE_SECONDS", 0)
    monkeypatch.setattr("bpm.accounts.attempts.ADDRESS", RateLimit(30, 60))
    noisy = {"X-Forwarded-For": "198.51.100.1"}
    for number in range(30):
        await client.post("/api/auth/token", data={"username": f"nobody{number}", "password": "x"}, headers=noisy)
    assert_refused(await client.post("/api/auth/token", json=RIGHT, headers=noisy), 429)
    other = {"X-Forwarded-For": "198.51.100.2"}
    assert (await client.post("/api/auth/token", json=RIGHT, headers=other)).status_code == 200


async def test_a_refresh_token_is_revoked(client: httpx.AsyncClient, accounts: Accounts) -> None:
    """Revoking a refresh token ends it and the access token beside it."""
    pair = (await client.post("/api/auth/token", json=RIGHT)).json()
    answer = await client.post("/api/auth/revoke", data={"refresh_token": pair["refresh_token"]})
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "data": None, "message": "Token revoked successfully"}
    assert_refused(await client.post("/api/auth/token", json={"refresh_token": pair["refresh_token"]}), 401)
    header = {"Authorization": f"Bearer {pair['access_token']}"}
    assert_refused(await client.post("/api/auth/revoke", headers=header), 401)


@pytest.mark.parametrize("body", [{}, {"json": {}}])
async def test_the_presented_access_token_is_revoked(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    """Without a refresh token in the body the access token of the header is revoked, once."""
    pair = (await client.post("/api/auth/token", json=RIGHT)).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (await client.post("/api/auth/revoke", headers=headers, **body)).status_code == 200
    assert_refused(await client.post("/api/auth/revoke", headers=headers, **body), 401)
    assert_refused(await client.post("/api/auth/token", json={"refresh_token": pair["refresh_token"]}), 401)


async def test_revoking_an_unknown_token_is_no_error(client: httpx.AsyncClient) -> None:
    """A refresh token that is not ours is answered like one that was."""
    assert (await client.post("/api/auth/revoke", json={"refresh_token": "nope"})).status_code == 200


async def test_revoking_nothing_is_refused(client: httpx.AsyncClient) -> None:
    """Neither a token in the body nor one in the header: the answer says what to send; a wrong one is a 401."""
    assert_refused(await client.post("/api/auth/revoke"), 422)
    assert_refused(await client.post("/api/auth/revoke", headers={"Authorization": "Bearer nope"}), 401)


async def test_an_api_key_is_not_revoked_here(client: httpx.AsyncClient, database: Database) -> None:
    """An API key in the header is answered with the command that revokes keys, and stays good."""
    text = generate_key()
    row = ApiKey(id=text.id, user_id=1, name="ci", hash=text.hash, scopes=["*:read"], created_at=utc_now())
    await database.write(lambda tx: tx.session(None).add(row))
    for _ in range(2):
        answer = await client.post("/api/auth/revoke", headers={"Authorization": f"Bearer {text}"})
        assert "RevokeApiKeyCommand" in assert_refused(answer, 422)[0]


async def test_no_answer_repeats_a_secret(client: httpx.AsyncClient) -> None:
    """Passwords and tokens that were sent never come back in a refusal."""
    for fields in (
        {"username": "admin", "password": "canary-1"},
        {"refresh_token": "canary-1"},
        {"password": "canary-1"},
    ):
        assert "canary-1" not in (await client.post("/api/auth/token", json=fields)).text
