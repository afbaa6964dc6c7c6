"""Making the headers a provider would send, for tests and the command line."""

import hashlib
import hmac

from .claim import Claim, composer
from .config import SignatureConfig
from .keys import encode
from .scheme import Scheme
from .verifier import Resolve, Verifier, compile_signature


def sign(
    config: SignatureConfig, raw: bytes, now: float, message_id: str = "", resolve: Resolve = str
) -> dict[str, str]:
    """The headers with which a provider would send `raw`, signed by the newest secret.

    `message_id` is for schemes that sign one, by default made from the body. Raises ValueError if no secret
    can be used.
    """
    verifier = compile_signature(config, resolve)
    if verifier.scheme.kind == "none":
        return {}
    if not verifier.keys:
        raise ValueError(verifier.faults[0])
    message_id = message_id or f"msg_{hashlib.sha256(raw).hexdigest()[:24]}"
    return _headers(verifier, raw, Claim([], str(int(now)), message_id))


def _headers(verifier: Verifier, raw: bytes, claim: Claim) -> dict[str, str]:
    scheme = verifier.scheme
    signature = scheme.prefix + encode(_proof(scheme, verifier.keys[0].value, raw, claim), scheme.encoding)
    if scheme.inside:
        signature = f"{scheme.inside}{claim.timestamp}{scheme.separator}{signature}"
    headers = {scheme.header: signature}
    if scheme.timestamp_header:
        headers[scheme.timestamp_header] = claim.timestamp
    if scheme.id_header:
        headers[scheme.id_header] = claim.message_id
    return headers


def _proof(scheme: Scheme, key: bytes, raw: bytes, claim: Claim) -> bytes:
    if scheme.kind == "static":
        return key
    return hmac.digest(key, composer(scheme.signed_content)(raw, claim), scheme.hash)
