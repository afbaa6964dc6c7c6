"""The client: one address, typed messages, errors, pages and retries."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, cast
from uuid import uuid4

import httpx
from pydantic import ValidationError

from bpm_bus_client.errors import AnswerError, ApiError, UnreachableError, error_of
from bpm_bus_client.operations import ANSWERS, Operations

AGAIN = frozenset({0, 429, 502, 503, 504})
"""Statuses after which the same message is sent again; 0 is no answer."""
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 30.0


class BpmClient(Operations):
    """Speaks to one server with an API key, or as a user whose name and password it is given."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        organization: int | None = None,
        tries: int = 4,
        timeout_seconds: float = 60.0,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the server's address and who is speaking; `organization` is the one to act for, `tries` at least 1."""
        self._http = http or httpx.Client(timeout=timeout_seconds)
        self._url = url.rstrip("/")
        self._token = token
        self._credentials = None if username is None else {"username": username, "password": password}
        self._headers = {} if organization is None else {"X-Organization-Id": str(organization)}
        self._tries = tries
        self._sleep = sleep

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        self._http.close()

    def _call(self, message: Any, answer: type[Any], idempotency_key: str | None) -> Any:
        headers = dict(self._headers)
        if not message.field_type.endswith("Query"):
            headers["Idempotency-Key"] = idempotency_key or uuid4().hex
        fields = message.model_dump(mode="json", by_alias=True, exclude_unset=True)
        envelope = self._post({**fields, "$type": message.field_type}, headers)
        try:
            return answer.model_validate(envelope)
        except ValidationError as error:
            raise AnswerError(200, f"The answer to {message.field_type} is not what was promised: {error}") from error

    def _answer_to(self, query: Any) -> Any:
        return self._call(query, ANSWERS[query.field_type], None)

    def _rows(self, query: Any) -> Iterator[Any]:
        number, skip = query.page_number or 1, query.skip or 0
        while True:
            page = self._answer_to(query.model_copy(update={"page_number": number, "skip": skip})).data
            yield from page.items
            if page.left_out and page.items:
                skip += len(page.items)
            elif page.left_out:
                raise AnswerError(200, f"The answer to {query.field_type} leaves rows out and has none")
            elif page.has_next_page:
                number, skip = number + 1, 0
            else:
                return

    def _post(self, body: Any, headers: dict[str, str]) -> Any:
        wait, signed_in_again = FIRST_WAIT_SECONDS, False
        for left in reversed(range(self._tries)):
            try:
                return self._post_as_somebody(body, headers)
            except ApiError as error:
                if error.status == 401 and self._credentials and not signed_in_again and left:
                    self._token, signed_in_again = None, True
                    continue
                if error.status not in AGAIN or not left:
                    raise
                self._sleep(min(LONGEST_WAIT_SECONDS, max(error.retry_after, wait)))
                wait *= 2
        raise ValueError("tries: at least one is needed")

    def _post_as_somebody(self, body: Any, headers: dict[str, str]) -> Any:
        if self._token is None and self._credentials is not None:
            self._token = _token_of(self._exchange("/api/auth/token", self._credentials, {}))
        identity = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        return self._exchange("/api/bpm/cmd", body, {**identity, **headers})

    def _exchange(self, path: str, body: Any, headers: dict[str, str]) -> Any:
        try:
            response = self._http.post(f"{self._url}{path}", json=body, headers=headers)
        except httpx.RequestError as error:
            raise UnreachableError(0, f"No answer from {self._url}: {error or type(error).__name__}") from error
        try:
            envelope = response.json()
        except (ValueError, RecursionError):
            envelope = None
        if response.is_success and envelope is not None:
            return envelope
        raise error_of(response.status_code, envelope, response.headers)


def _token_of(answer: Any) -> str:
    token = cast("dict[str, Any]", answer).get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise AnswerError(200, "The server signed nobody in: its answer has no access_token")
    return token
