"""Which parts of a request are secret: decided once, before it is stored, executed or shown.

Templates, scripts, chains, processes, the audit log and every view only get what is left. What was taken out is
sealed beside the request (`router.request_seal`) and opened only to verify it again: by the rule's scheme, or by the
script of a rule without one, which is given the signatures (never a credential) while it runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Self, cast

from bpm.security.redaction import MIN_REPEATED, REDACTED, redacted_query, redacted_url, without
from bpm.security.secret_names import is_secret_header, is_secret_parameter, is_signature_header

URL_HEADERS = frozenset(
    {
        "location",
        "origin",
        "referer",
        "x-forwarded-uri",
        "x-forwarded-url",
        "x-original-uri",
        "x-original-url",
        "x-request-uri",
        "x-rewrite-url",
    }
)
"""Headers that repeat an address, whose query or user may be a credential."""


@dataclass(frozen=True, slots=True)
class RequestSecrets:
    """What a rule's scheme or a provider calls secret besides what always is.

    `credentials` and `signatures` are headers' names in lower case, `parameters` those of the query, `fields` those
    of the body that prove the sender; `values` are secrets themselves, wherever they stand. `is_known` is False for a
    request that belongs to nothing, of which even the path may hold a secret.
    """

    credentials: frozenset[str] = frozenset()
    signatures: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    values: frozenset[str] = field(default=frozenset(), repr=False)
    is_known: bool = True

    def joined(self, other: Self) -> Self:
        """Return what either calls secret; a header that is a credential to one is no signature to the other."""
        credentials = self.credentials | other.credentials
        return replace(
            self,
            credentials=credentials,
            signatures=(self.signatures | other.signatures) - credentials,
            parameters=self.parameters | other.parameters,
            fields=self.fields | other.fields,
            values=self.values | other.values,
        )

    def hides_header(self, name: str) -> bool:
        """Tell whether nobody may see the value of a header."""
        return name in self.credentials or name in self.signatures or is_secret_header(name)

    def is_signature(self, name: str) -> bool:
        """Tell whether a header that is hidden proves one body only, rather than being a credential itself."""
        return name in self.signatures or (name not in self.credentials and is_signature_header(name))

    def hides_parameter(self, name: str) -> bool:
        """Tell whether nobody may see the value of a parameter of the query."""
        return name in self.parameters or is_secret_parameter(name)

    def headers_to_store(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers with `***` for every secret one, and wherever its value is repeated in another."""
        visible: dict[str, str] = {}
        repeated = set(self.values)
        for name, value in headers.items():
            if _is_plain(name) and name not in self.credentials and name not in self.signatures:
                visible[name] = value
            elif self.hides_header(name):
                visible[name] = REDACTED
                if len(value) >= MIN_REPEATED:
                    repeated.add(value)
            else:
                visible[name] = redacted_url(value)
        return {name: without(value, repeated) for name, value in visible.items()} if repeated else visible

    def headers_to_use(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that templates and scripts may use: a secret one is not there at all."""
        stored = self.headers_to_store(headers)
        return {name: value for name, value in stored.items() if value != REDACTED or not self.hides_header(name)}

    def payload_to_use(self, payload: object) -> Any:
        """Return the payload that templates and scripts may use: without the fields that prove the sender.

        They are left out wherever they stand, as they are in the body.
        """
        if not self.fields:
            return payload
        if isinstance(payload, dict):
            fields = cast("dict[str, Any]", payload).items()
            return {name: self.payload_to_use(value) for name, value in fields if name not in self.fields}
        if isinstance(payload, list):
            return [self.payload_to_use(value) for value in cast("list[Any]", payload)]
        return payload

    def signatures_to_use(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the hidden headers that are signatures, for a script that verifies them itself.

        Of a stored request that was not opened there are none.
        """
        hidden = (name for name in headers if self.hides_header(name) and self.is_signature(name))
        return {name: headers[name] for name in hidden if headers[name] != REDACTED}

    def query_to_store(self, query: str) -> str:
        """Return the query string with `***` for every secret parameter; the rest stays to the letter."""
        return without(redacted_query(query, self.parameters), self.values) if query else query

    def query_to_use(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that templates and scripts may use: a secret one is not there at all."""
        used = {name: value for name, value in query.items() if not self.hides_parameter(name)}
        return {name: self._told(value) for name, value in used.items()} if self.values else used

    def _told(self, value: str | list[str]) -> str | list[str]:
        return without(value, self.values) if isinstance(value, str) else [without(one, self.values) for one in value]


@lru_cache(maxsize=8192)
def _is_plain(name: str) -> bool:
    """Tell whether a header may be seen as it is, unless a scheme says otherwise."""
    return name not in URL_HEADERS and not is_secret_header(name)


ALWAYS = RequestSecrets()
"""What is secret whoever a request belongs to."""

STRANGE = RequestSecrets(is_known=False)
"""For a request that no rule or provider knows."""
