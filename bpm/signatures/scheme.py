"""Signature schemes as data: what a provider signs, how, and where in the request it says so."""

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "none", "static", "hmac", "standard", "hash", "ed25519", "ecdsa", "rsa", "rsa-pss", "jwt", "certificate", "mtls"
]
Hash = Literal["sha1", "sha256", "sha384", "sha512", "sha3-512"]
Encoding = Literal["hex", "base64", "base64-unpadded", "base64url", "text"]
KeyDecoding = Literal["raw", "hex", "base64", "whsec", "sha1"]
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA",
    "HS256", "HS384", "HS512",
]  # fmt: skip
"""Of tokens (RFC 7518, RFC 8037, RFC 9864)."""
TimestampFormat = Literal["seconds", "milliseconds", "microseconds", "nanoseconds", "iso", "http"]
StampFormat = Literal["seconds", "milliseconds", "microseconds", "nanoseconds", "iso", "http", "unix"]
"""Of presets: `unix` is seconds or milliseconds, which only a text with a separator behind it can be signed with."""

DIGEST_SIZES: dict[Hash, int] = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "sha3-512": 64}
FIVE_MINUTES = 300

DIGESTED: frozenset[Kind] = frozenset({"hmac", "standard", "hash"})
"""Kinds whose signature is a digest."""
SHARED: frozenset[Kind] = frozenset({*DIGESTED, "static"})
"""Kinds whose secret both sides have."""
SHOWN: frozenset[Kind] = frozenset({"static", "jwt", "mtls"})
"""Kinds that show a secret, a token or a certificate rather than a signature of the content."""
SIGNED_BY_KEY: frozenset[Kind] = frozenset({"ed25519", "ecdsa", "rsa", "rsa-pss"})
"""Kinds whose `secret` is the provider's public key."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one provider proves that a request is its own.

    `static` compares a place with the secret itself, `hmac` with a digest of `signed_content`, `hash` with a plain
    digest in which `{secret}` stands. `standard` is an hmac whose header holds several signatures between blanks, as
    in Standard Webhooks. `ed25519`, `ecdsa`, `rsa` and `rsa-pss` are verified by a public key, `certificate` by
    the key of a certificate that the request names, `jwt` is a signed token, `mtls` a client's certificate.

    A place is `header:<name>`, `query:<name>` or `body:<path>`; `header`, `timestamp_header` and `id_header` are
    short for the first. The signature's text is `prefix` and the `encoding` of the signature, maybe several of them
    with `between` between them. The timestamp may also stand there after the mark `inside`, as in `t=1,v1=…`, or
    first. `digest_in` is where the body's own digest stands, for content that does not hold the body.
    `body_claim` and `url_claim` of a token hold the digests of the body and of the address that was called.
    `required_claims` of a token are those that a rule must pin, because the same key signs for others; `pinned`
    names places at which the rule's own value of a name must stand, for the same reason. `certificate_names` are the
    names of which a certificate that is fetched must have one, `certificate_name` is a client's.

    `signature_also_in` are further places at which a signature of the same form may stand, as of another key: any
    that is right counts.

    `deduplication` names where the provider's own id of a delivery stands, most preferred first; `event_name` where
    the name of the event does, if deliveries of several events may share an id. `secret_fields` are fields of
    the body that are a secret of the sender's, too. `also` is another form of the same, looked at when the
    first one's signature is not there, or stands at the same place in the other form.
    """

    name: str
    kind: Kind
    header: str = ""
    hash: Hash = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    signed_content: str = "{body}"
    timestamp_header: str = ""
    inside: str = ""
    id_header: str = ""
    tolerance_seconds: int = FIVE_MINUTES
    key_decoding: KeyDecoding = "raw"
    username: str = ""
    also: "Scheme | None" = None
    deduplication: tuple[str, ...] = ()
    event_name: str = ""
    secret_fields: frozenset[str] = frozenset()
    signature_in: str = ""
    signature_also_in: tuple[str, ...] = ()
    timestamp_in: str = ""
    timestamp_format: StampFormat = "seconds"
    is_timestamp_first: bool = False
    id_in: str = ""
    between: str = ""
    digest_in: str = ""
    url: str = ""
    values: tuple[tuple[str, str], ...] = ()
    hash_in: str = ""
    hashes: tuple[tuple[str, Hash], ...] = ()
    keys_url: str = ""
    certificate_in: str = ""
    certificate_hosts: tuple[str, ...] = ()
    certificate_name: str = ""
    certificate_names: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    audience: str = ""
    issuer: str = ""
    claims: tuple[tuple[str, str], ...] = ()
    required_claims: tuple[str, ...] = ()
    pinned: tuple[tuple[str, str], ...] = ()
    body_claim: str = ""
    url_claim: str = ""
    is_header_agreed: bool = False

    @property
    def signature_place(self) -> str:
        """Where the signature, token or secret stands."""
        return self.signature_in or (f"header:{self.header}" if self.header else "")

    @property
    def signature_places(self) -> tuple[str, ...]:
        """Every place at which a signature may stand, the usual one first."""
        return tuple(place for place in (self.signature_place, *self.signature_also_in) if place)

    @property
    def timestamp_place(self) -> str:
        """Where the timestamp stands, unless it is a part of the signature's text."""
        return self.timestamp_in or (f"header:{self.timestamp_header}" if self.timestamp_header else "")

    @property
    def id_place(self) -> str:
        """Where the signed id stands."""
        return self.id_in or (f"header:{self.id_header}" if self.id_header else "")

    @property
    def proving_headers(self) -> frozenset[str]:
        """The headers, in lower case, that carry the secret itself or a signature."""
        return frozenset(name.lower() for name in self._proving("header"))

    @property
    def proving_parameters(self) -> frozenset[str]:
        """The parameters of the query that carry the secret itself or a signature."""
        return frozenset(self._proving("query"))

    @property
    def proving_fields(self) -> frozenset[str]:
        """The names of the body's fields that carry the secret itself or a signature, or are secret besides."""
        return self.secret_fields | {path.rpartition(".")[2] for path in self._proving("body")}

    @property
    def reads_fields(self) -> bool:
        """Whether a field of the body is looked at by its name."""
        places = (self.signature_place, self.timestamp_place, self.id_place)
        return any(place.startswith("body:") for place in places) or "{body:" in self.signed_content

    def covers(self, place: str) -> bool:
        """Whether what stands at a place can't be changed by who only passes a request on.

        A CRC-32 covers nothing: a body can be made to fit it.
        """
        if self.kind in ("none", "static", "mtls"):
            return True
        kind, _, name = place.partition(":")
        content = self.signed_content
        if place.lower() == self.id_place.lower() and "{id}" in content:
            return True
        if self.kind == "jwt":
            return bool(self.body_claim) and kind == "body"
        if kind == "body":
            words = (
                "{body}",
                "{message}",
                "{digest}",
                "{digest:sha",
                "{form sorted}",
                f"{{body:{name}}}",
                f"{{body:{name}*}}",
                f"{{json:{name}}}",
            )
        elif kind == "query":
            words = ("{url}", "{query}", f"{{query.{name}}}")
        else:
            words = (f"{{header.{name}}}",)
        return any(word.lower() in content.lower() for word in words)

    @property
    def has_timestamp(self) -> bool:
        """Whether a request says when it was signed."""
        return bool(self.timestamp_place or self.inside or self.is_timestamp_first)

    @property
    def separator(self) -> str:
        """What stands between several signatures in one text; empty if there is only one."""
        return self.between or (" " if self.kind == "standard" else "," if self.inside else "")

    @property
    def is_weak(self) -> bool:
        """Whether it leans on SHA-1, which is broken except inside of an HMAC and nobody should choose any more."""
        return self.kind not in (*SHOWN, "none") and self.hash == "sha1"

    @property
    def needs_keys(self) -> bool:
        """Whether a secret or key must be configured."""
        return self.kind not in ("none", "certificate") and not self.keys_url

    def changed(self, **changes: object) -> "Scheme":
        """Return the scheme with other values, its other form included."""
        also = replace(self.also, **changes) if self.also is not None else None  # pyright: ignore[reportArgumentType]
        return replace(self, **changes, also=also)  # pyright: ignore[reportArgumentType]

    def _proving(self, where: str) -> frozenset[str]:
        places = [place.partition(":") for place in self.signature_places]
        own = frozenset(name for kind, _, name in places if kind == where)
        return own | self.also._proving(where) if self.also is not None else own
