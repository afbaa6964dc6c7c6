"""What every REST interface holds: who may, what is not found, what is refused, and that the document says so."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry as Resources
from referencing import Resource
from referencing.jsonschema import DRAFT202012

from bpm.accounts.keys import generate_key
from bpm.accounts.tables import ApiKey, User
from bpm.app import App
from bpm.bus.tables import AuditEntry
from bpm.security.permissions import SYSTEM
from bpm.store import Transaction, utc_now
from bpm.store.organizations import Organization, organization

READ = ("subscriptions:read", "deliveries:read", "events:read")
WRITE = (*READ, "subscriptions:write")
JSON = {"Content-Type": "application/json"}


@dataclass
class Answer:
    """An answer, and its JSON if it has any."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body's JSON value."""
        return json.loads(self.text)


class Caller:
    """Speaks to an application with one API key; every answer is compared with the OpenAPI document."""

    def __init__(self, app: App, document: Any, authorization: str | None) -> None:
        """Take what is sent in `Authorization`, None for nothing."""
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bpm.test")
        self._document = document
        self._authorization = authorization

    async def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; text goes as it is, everything else as JSON."""
        answer = await self.unchecked(method, url, body, **headers)
        if method not in ("HEAD", "OPTIONS") and answer.status != 405:
            self._check(method, url.partition("?")[0], answer)
        return answer

    async def unchecked(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Send a request that the document may not know."""
        identity = {"Authorization": self._authorization} if self._authorization else {}
        content = body if body is None or isinstance(body, str) else json.dumps(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = JSON if content is not None else {}
        response = await self._http.request(method, url, content=content, headers={**identity, **kind, **sent})
        return Answer(response.status_code, response.headers, response.text)

    def _check(self, method: str, path: str, answer: Answer) -> None:
        responses = self._operation(method, path)["responses"]
        documented = responses[str(answer.status)]
        if "content" not in documented:
            assert answer.text == ""
            return
        schema = documented["content"]["application/json"]["schema"]
        resource: Resource[Any] = DRAFT202012.create_resource({**self._document, "asked": schema})
        resources = Resources[Any]().with_resource("urn:bpm", resource)
        Draft202012Validator({"$ref": "urn:bpm#/asked"}, registry=resources).validate(answer.json)

    def _operation(self, method: str, path: str) -> Any:
        paths = self._document["paths"]
        fitting = [name for name in paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", name), path)]
        fitting.sort(key=lambda name: (name != path, name == "/api/webhooks/{path}"))
        return paths[fitting[0]][method.lower()]


async def caller(app: App, document: Any, organization_id: int, *permissions: str) -> Caller:
    """Return somebody of an organisation with an API key."""
    key, now = generate_key(), utc_now()
    name = f"{organization_id}-{key.id}"

    def add(tx: Transaction) -> None:
        session = tx.session(None)
        if organization(tx, organization_id) is None:
            session.add(Organization(id=organization_id, name=f"Customer {organization_id}", created_at=now))
        user = User(
            username=name,
            kind="service",
            permissions=list(permissions),
            created_at=now,
            organization_id=organization_id,
        )
        session.add(user)
        session.flush()
        session.add(
            ApiKey(
                id=key.id,
                user_id=user.id,
                name=name,
                hash=key.hash,
                scopes=["*:read", "*:write"],
                created_at=now,
                organization_id=organization_id,
            )
        )

    await app.database.write(add)
    return Caller(app, document, f"Bearer {key}")


class DialectContract:
    """Inherit it and say what the interface looks like; fixtures: `app`, `document`, `owner` of organisation 849."""

    LIST: ClassVar[str]
    EVENTS: ClassVar[str]
    NEW: ClassVar[dict[str, Any]]
    FAMILY: ClassVar[str]

    NO_TOKEN: ClassVar[Any]
    WRONG_TOKEN: ClassVar[Any]
    LACKING: ClassVar[Any]
    MISSING: ClassVar[Any]

    ONE: ClassVar[tuple[tuple[str, str, Any], ...]]
    """Method, address with `{id}`, and body of everything that is about one webhook."""

    UNKNOWN_IDS: ClassVar[tuple[str, ...]] = ("999999", "0", "99999999999999999999")

    def listed(self, answer: Answer) -> list[Any]:
        """Return the webhooks of a list's answer."""
        raise NotImplementedError

    def made(self, answer: Answer) -> Any:
        """Return the webhook of the answer to a creation."""
        raise NotImplementedError

    def missing(self, method: str) -> Any:
        """Return what is answered for an unknown webhook."""
        return self.MISSING

    def new(self, organization_id: int = 849) -> dict[str, Any]:
        """Return the body of a creation by somebody of an organisation."""
        return self.NEW

    async def create(self, who: Caller, organization_id: int = 849) -> Any:
        """Create a webhook."""
        answer = await who("POST", self.LIST, self.new(organization_id))
        assert answer.status == 201, answer.text
        return self.made(answer)

    async def test_nobody_is_let_in_without_a_token(self, app: App, document: Any) -> None:
        """No token and a wrong one are told in the interface's own words."""
        for authorization, expected in ((None, self.NO_TOKEN), ("Bearer bpm_no_key", self.WRONG_TOKEN)):
            for method, path in (("GET", self.LIST), ("POST", self.LIST), ("GET", self.EVENTS)):
                answer = await Caller(app, document, authorization)(method, path)
                assert (answer.status, answer.json) == (401, expected)
                assert answer.headers["www-authenticate"] == "Bearer"

    async def test_scopes_are_our_permissions(self, app: App, document: Any, owner: Caller) -> None:
        """Who may only read is refused before the body is looked at; who may nothing sees nothing."""
        made = await self.create(owner)
        reader = await caller(app, document, 849, *READ)
        assert (await reader("GET", self.LIST)).status == 200
        for who, operations in (
            (reader, [("POST", self.LIST), ("DELETE", self.address(made))]),
            (await caller(app, document, 849), [("GET", self.LIST), ("GET", self.EVENTS)]),
        ):
            for method, path in operations:
                answer = await who(method, path)
                assert (answer.status, answer.json) == (403, self.lacking(method))
        refused = await app.database.read(
            lambda tx: [(line.type, line.ok) for line in tx.connection.execute(AuditEntry.table().select())]
        )
        assert ("DeleteSubscriptionCommand", False) in refused

    def lacking(self, method: str) -> Any:
        """Return what is answered to who lacks the scope."""
        return self.LACKING

    def address(self, made: Any) -> str:
        """Return where a webhook is deleted."""
        return next(path for method, path, _ in self.ONE if method == "DELETE").replace("{id}", str(made["id"]))

    async def test_an_unknown_webhook_is_not_found(self, app: App, document: Any, owner: Caller) -> None:
        """Unknown, deleted, another organisation's, another interface's: all look the same."""
        deleted = await self.create(owner)
        assert (await owner("DELETE", self.address(deleted))).status in (200, 204)
        stranger = await caller(app, document, 850, *WRITE)
        foreign = await self.create(stranger, 850)
        ids = [*self.UNKNOWN_IDS, str(deleted["id"]), str(foreign["id"]), self.written(await self.elsewhere(app))]
        for id_ in ids:
            for method, path, body in self.ONE:
                answer = await owner(method, path.replace("{id}", id_), body)
                assert (answer.status, answer.json) == (404, self.missing(method)), (id_, method)
        assert [item["id"] for item in self.listed(await stranger("GET", self.LIST))] == [foreign["id"]]

    async def elsewhere(self, app: App) -> int:
        """Return the number of a subscription of organisation 849 that was made on the bus."""
        fields = {"url": "https://hooks.example.com/", "events": ["*"]}
        message = app.registry.decode("CreateSubscriptionCommand", fields)
        return (await app.bus.send(message, replace(SYSTEM, organization_id=849))).id

    def written(self, number: int) -> str:
        """Return a subscription's number as the interface writes ids."""
        return str(number)

    async def test_organisations_see_their_own(self, app: App, document: Any, owner: Caller) -> None:
        """A list shows what was made through the interface for the caller's organisation, and no secret."""
        made = await self.create(owner)
        await self.elsewhere(app)
        stranger = await caller(app, document, 850, *WRITE)
        await self.create(stranger, 850)
        answer = await owner("GET", self.LIST)
        assert [item["id"] for item in self.listed(answer)] == [made["id"]]
        assert "whsec_" not in answer.text

    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            ("{", {}, 400),
            ("[]", {}, 400),
            ('{"a": 1, "a": 2}', {}, 400),
            ("{}", {"Content_Type": "text/plain"}, 415),
            ("a=b", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
            ('"' + "x" * 2**20 + '"', {}, 413),
        ],
    )
    async def test_what_is_no_json_object_is_refused(
        self, owner: Caller, body: str, headers: dict[str, str], status: int
    ) -> None:
        """A body that can't be read gets the status that fits, in the interface's shape."""
        answer = await owner("POST", self.LIST, body, **headers)
        assert answer.status == status

    async def test_methods(self, owner: Caller) -> None:
        """HEAD is GET without a body, OPTIONS and a wrong method tell which there are."""
        usual = await owner("GET", self.LIST)
        head = await owner("HEAD", self.LIST)
        assert (head.status, head.text) == (200, "")
        assert head.headers["content-type"] == usual.headers["content-type"] == "application/json"
        assert "x-request-id" in usual.headers
        options, patch = await owner("OPTIONS", self.LIST), await owner("PATCH", self.LIST)
        assert (options.status, options.headers["allow"]) == (204, "GET, POST")
        assert (patch.status, patch.headers["allow"]) == (405, "GET, POST")
        assert patch.json.keys() == self.missing("GET").keys()

    async def test_a_long_list_is_whole(self, owner: Caller) -> None:
        """However many there are, all can be listed, the oldest first."""
        made = [(await self.create(owner))["id"] for _ in range(3)]
        assert [item["id"] for item in self.listed(await owner("GET", self.LIST))] == made

    async def test_a_stopping_server_says_so(self, app: App, owner: Caller) -> None:
        """While it drains it refuses, and says when to come again."""
        app.lifecycle.drain()
        answer = await owner("GET", self.LIST)
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1
