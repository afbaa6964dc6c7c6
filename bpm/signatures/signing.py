"""Making the request a provider would send: for tests, the command line, and whoever tries a rule from outside."""

import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlencode

from bpm.exact_json import read_json, write_json

from .claim import Claim
from .config import SignatureConfig
from .content import composer
from .incoming_messages import MESSAGE
from .keys import encode
from .private_keys import sign_by_key, sign_token
from .scheme import SHARED, Scheme
from .signed_content import barred_from_ids
from .signed_request import Headers, RequestAddress, SignatureRefusal, SignedPlace, SignedRequest, parse_place
from .stamps import write_stamp
from .verifier import Resolve, Verifier, compile_signature


class RequestToSend(NamedTuple):
    """A request with its proof in it."""

    headers: dict[str, str]
    query: str
    body: bytes


def sign(
    config: SignatureConfig, raw: bytes, now: float, message_id: str = "", resolve: Resolve = str, private_key: str = ""
) -> dict[str, str]:
    """The headers with which a provider would send `raw`, signed by the newest secret.

    `message_id` is for schemes that sign one, by default made from the body. Raises ValueError if no secret
    can be used.
    """
    return sign_request(config, SignedRequest(raw, {}), now, message_id, resolve, private_key).headers


def sign_request(
    config: SignatureConfig,
    request: SignedRequest,
    now: float,
    message_id: str = "",
    resolve: Resolve = str,
    private_key: str = "",
) -> RequestToSend:
    """The request with everything that a provider adds to prove it.

    `private_key` is the other half of a public key. The headers are those that are added. Raises ValueError where
    nothing can be signed.
    """
    verifier = compile_signature(config, resolve)
    scheme = verifier.scheme
    if scheme.signed_content == MESSAGE:
        raise ValueError("it can't be signed: a message signature (RFC 9421) is made by its sender")
    if scheme.kind == "none":
        return RequestToSend({}, request.address.query, request.body)
    if scheme.kind in SHARED and not verifier.keys:
        raise ValueError(verifier.faults[0])
    joint = "-" if "_" in barred_from_ids(scheme.signed_content) else "_"
    message_id = message_id or f"msg{joint}{hashlib.sha256(request.body).hexdigest()[:24]}"
    claim = Claim([], write_stamp(now, scheme.timestamp_format), message_id)
    draft = _Draft(request)
    if scheme.timestamp_place:
        draft.put(parse_place(scheme.timestamp_place), claim.timestamp)
    if scheme.id_place:
        draft.put(parse_place(scheme.id_place), claim.message_id)
    if scheme.digest_in and request.body and not request.is_form:
        draft.put(parse_place(scheme.digest_in), hashlib.sha256(request.body).hexdigest())
    try:
        proof = _proof(verifier, draft.request, claim, now, private_key)
    except SignatureRefusal as refusal:
        raise ValueError(f"it can't be signed: {refusal.cause}") from None
    draft.put(parse_place(scheme.signature_place), _text(scheme, claim, proof))
    return RequestToSend(draft.added, draft.request.address.query, draft.request.body)


class _Draft:
    """A request to which what proves it is added, place by place."""

    def __init__(self, request: SignedRequest) -> None:
        self.request = request
        self.added: dict[str, str] = {}

    def put(self, place: SignedPlace, text: str) -> None:
        """Write a text at a place of the request."""
        writers: dict[str, Callable[[str, str], None]] = {"header": self._header, "query": self._query}
        writers.get(place.kind, self._field)(place.name, text)

    def _header(self, name: str, text: str) -> None:
        self.added[name] = text
        self._set(headers={**self.request.headers, name.lower(): text})

    def _query(self, name: str, text: str) -> None:
        address = self.request.address
        pair = f"{quote(name, safe='')}={quote(text, safe='')}"
        self._set(address=address._replace(query=f"{address.query}&{pair}" if address.query else pair))

    def _field(self, path: str, text: str) -> None:
        if not self.request.is_form:
            self._set(body=_with_value(self.request.body, path, text))
            return
        field, dot, rest = path.partition(".")
        former = self.request.form.get(field, ["{}"])[0]
        name, value = (field, _with_value(former.encode(), rest, text).decode()) if dot else (path, text)
        kept = [(each, value) for each, values in self.request.form.items() for value in values if each != name]
        self._set(body=urlencode([*kept, (name, value)]).encode())

    def _set(
        self, body: bytes | None = None, headers: Headers | None = None, address: RequestAddress | None = None
    ) -> None:
        former = self.request
        self.request = SignedRequest(
            former.body if body is None else body,
            former.headers if headers is None else headers,
            former.address if address is None else address,
        )


def _with_value(body: bytes, path: str, text: str) -> bytes:
    """Return JSON with a text at a path."""
    payload = read_json(body or b"{}")
    inside = payload
    *parents, name = path.split(".")
    try:
        for parent in parents:
            inside = _inside(inside, parent)
        inside[name] = text
    except (TypeError, AttributeError, LookupError, ValueError):
        raise ValueError(f"the body has no place for {path}, where the signature belongs") from None
    return write_json(payload)


def _inside(value: object, step: str) -> Any:
    """Go down by one step of a path, `name` or `name[0]`."""
    name, bracket, number = step.partition("[")
    found = cast("dict[str, Any]", value).setdefault(name, {})
    return found[int(number[:-1])] if bracket else found


def _text(scheme: Scheme, claim: Claim, proof: bytes) -> str:
    signature = scheme.prefix + encode(proof, scheme.encoding)
    if scheme.inside:
        return f"{scheme.inside}{claim.timestamp}{scheme.separator}{signature}"
    return f"{claim.timestamp}{scheme.separator}{signature}" if scheme.is_timestamp_first else signature


def _proof(verifier: Verifier, request: SignedRequest, claim: Claim, now: float, private_key: str) -> bytes:
    scheme = verifier.scheme
    if scheme.kind == "static":
        return verifier.keys[0].value
    if scheme.kind == "jwt":
        shared = [key.key.raw_value for each in verifier.keys for key in each.opened if key.key.key_type == "oct"]
        return sign_token(scheme, request, now, shared[0].decode() if shared else private_key)
    if scheme.kind == "mtls":
        return quote(private_key).encode()
    compose = composer(scheme)
    if scheme.kind not in SHARED:
        return sign_by_key(scheme, compose(request, claim, b""), private_key)
    key, name = verifier.keys[0].value, scheme.hash.replace("-", "_")
    digest = partial(hmac.digest, key, digest=name) if scheme.kind != "hash" else partial(_plain_digest, name)
    return digest(compose(request, claim, key))


def _plain_digest(name: str, content: bytes) -> bytes:
    return hashlib.new(name, content).digest()
