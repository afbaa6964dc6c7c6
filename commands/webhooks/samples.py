"""A request as a provider would send it: to try a rule from outside."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Field

from bpm.bus import Context, Query, View, handles
from bpm.errors import Invalid
from bpm.security.references import is_reference
from bpm.signatures import RequestAddress, SignatureConfig, SignedRequest, sign_request
from bpm.signatures.encoded_keys import is_costly

MAX_BODY = 64 * 1024
"""The longest body that is signed, in characters."""


class SignedSampleView(View):
    """What is sent: `headers` are those that were given and those that prove the sender."""

    headers: dict[str, str]
    """The headers."""
    query: str
    """The query, with what proves the sender there."""
    body: str
    """The body, with what proves the sender there."""


class SignSampleRequestQuery(Query[SignedSampleView]):
    """Sign a request as its provider would; nothing is sent, stored, or read of what is stored.

    `signature` is as a rule shows it, its secrets hidden. `secret` takes their place; where the provider signs by a
    key of its own, it is that private key in PEM, ed25519 or on an elliptic curve.
    """

    permission = "webhooks:write"
    succeeded = "Request signed successfully"
    failed = "Validation failed"
    sample = {
        "signature": {"scheme": "github", "secret": "***"},
        "secret": "a secret of yours",
        "url": "https://hooks.example.com/api/webhooks/orders",
        "body": "{}",
    }

    signature: SignatureConfig
    """How the rule wants its requests signed."""
    secret: Annotated[str, Field(min_length=1, max_length=16_384, repr=False)]
    """The secret that the provider would sign with."""
    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    """The address that is called."""
    method: Annotated[str, Field(min_length=1, max_length=20)] = "POST"
    """The HTTP method."""
    headers: dict[str, str] = Field(default_factory=dict[str, str], max_length=50)
    """The headers that it has anyway."""
    body: Annotated[str, Field(max_length=MAX_BODY)] = ""
    """The body, as text."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A reference would be signed with as it stands, and a private key of RSA would hold up everybody else."""
        secret = fields.get("secret")
        if isinstance(secret, str) and is_reference(secret):
            yield "secret: write the secret itself; what env: and file: name is not read for this"
        if isinstance(secret, str) and is_costly(secret):
            yield "secret: a private key of RSA costs the server too much; `bpm sign --private-key` signs with it"


@handles
def sign_sample(query: SignSampleRequestQuery, context: Context) -> SignedSampleView:
    """Sign by the secret as one that both sides have, or as the provider's own key, whichever the scheme asks for."""
    config = query.signature.model_copy(update={"secret": query.secret, "secrets": []})
    headers = {name.lower(): value for name, value in query.headers.items()}
    request = SignedRequest(query.body.encode(), headers, _address(query))
    try:
        sent = sign_request(config, request, context.now().timestamp(), private_key=query.secret)
    except ValueError as error:
        raise Invalid(f"secret: {error}", message="Validation failed") from None
    body = sent.body.decode("utf-8", "replace")
    return SignedSampleView(headers={**query.headers, **sent.headers}, query=sent.query, body=body)


def _address(query: SignSampleRequestQuery) -> RequestAddress:
    try:
        parts = urlsplit(query.url)
    except ValueError:
        raise Invalid("url: must be an address, as in https://hooks.example.com/api/webhooks/orders") from None
    return RequestAddress(
        query.method.upper(), unquote(parts.path) or "/", parts.query, f"{parts.scheme}://{parts.netloc}"
    )
