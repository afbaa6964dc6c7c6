"""Signs what is sent: the schemes by which requests are verified, used the other way round."""

import hmac
from collections.abc import Sequence
from functools import lru_cache

from .claim import Claim
from .content import composer
from .key_pairs import sign_with
from .keys import decode_key, encode
from .scheme import Scheme
from .signed_content import parts_of
from .signed_request import SignedRequest
from .stamps import write_stamp

WORDS = frozenset({"{body}", "{timestamp}", "{id}"})
KEYS = ("raw", "sha1", "whsec")


def unfit(scheme: Scheme) -> str | None:
    """Return why requests can't be signed by a scheme with a secret of our own; None if they can."""
    if scheme.kind not in ("hmac", "standard", "ed25519"):
        return "it is no signature by a shared secret or an ed25519 key"
    if not all(place.startswith("header:") for place in _places(scheme)):
        return "its signature does not stand in a header"
    words = {part for part in parts_of(scheme.signed_content) if part.startswith("{")} - WORDS
    if words:
        return f"it signs {', '.join(sorted(words))}, and a delivery only its body, timestamp and id"
    if scheme.key_decoding not in KEYS or "{" in scheme.prefix or scheme.pinned or scheme.hash_in or scheme.digest_in:
        return "it needs more than a secret"
    return None


def _places(scheme: Scheme) -> list[str]:
    return [place for place in (scheme.signature_place, scheme.timestamp_place, scheme.id_place) if place]


class SchemeSigner:
    """Signs bodies by one scheme, which must not be `unfit`."""

    def __init__(self, scheme: Scheme) -> None:
        """Take the scheme."""
        self.scheme = scheme
        self._compose = composer(scheme)
        places = (scheme.id_place, scheme.timestamp_place, scheme.signature_place)
        self._names = [place.removeprefix("header:") for place in places]

    @property
    def signs_with_each(self) -> bool:
        """Whether the scheme has room for a signature by each of several secrets."""
        return bool(self.scheme.separator)

    def headers(self, secrets: Sequence[str], body: bytes, now: float, message_id: str) -> dict[str, str]:
        """Return the headers that prove a body, with a signature by each secret, or by the first if one has room."""
        scheme = self.scheme
        claim = Claim([], write_stamp(now, scheme.timestamp_format), message_id)
        content = self._compose(SignedRequest(body, {}), claim, b"")
        used = secrets if self.signs_with_each else secrets[:1]
        items = [scheme.prefix + encode(self._sign(secret, content), scheme.encoding) for secret in used]
        if scheme.inside or scheme.is_timestamp_first:
            items.insert(0, scheme.inside + claim.timestamp)
        texts = (message_id, claim.timestamp, scheme.separator.join(items))
        return {name: text for name, text in zip(self._names, texts, strict=True) if name}

    def _sign(self, secret: str, content: bytes) -> bytes:
        if self.scheme.kind == "ed25519":
            return sign_with(secret, content)
        return hmac_of(decode_key(secret, self.scheme.key_decoding), self.scheme.hash.replace("-", "_"), content)


def hmac_of(key: bytes, hash_name: str, content: bytes) -> bytes:
    """HMAC without `hmac.digest`, which gives the interpreter's lock away for the shortest text."""
    digest = _keyed(key, hash_name).copy()
    digest.update(content)
    return digest.digest()


@lru_cache(maxsize=4_096)
def _keyed(key: bytes, hash_name: str) -> hmac.HMAC:
    return hmac.new(key, digestmod=hash_name)
