"""Which algorithms and headers signed tokens may have; `joserfc` reads them by this registry."""

from functools import lru_cache

from joserfc.jwa import EdDSAAlgorithm
from joserfc.jws import JWSRegistry

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"),
    *("Ed25519", "EdDSA"),
)
"""Those of public keys, which are taken unless a rule names others."""
MAX_HEADER = 16 * 1024
"""Characters; a chain of certificates (`x5c`) may stand in it."""
MAX_SIGNATURE = 2 * 1024
"""Characters, which is enough for the longest RSA key that is taken."""


class _FormerName(EdDSAAlgorithm):
    """What RFC 8037 calls Ed25519; most issuers still do, so nobody is warned of it."""

    security_warning = None


class TokenRegistry(JWSRegistry):
    """Passes over parameters of a header that it does not know (RFC 7515, section 4), unless `crit` names them."""

    algorithms = {**JWSRegistry.algorithms, "EdDSA": _FormerName()}  # noqa: RUF012 as the base class has it
    max_header_length = MAX_HEADER
    max_signature_length = MAX_SIGNATURE


@lru_cache(maxsize=64)
def registry_of(algorithms: tuple[str, ...]) -> TokenRegistry:
    """Return the registry that takes these algorithms and no other."""
    return TokenRegistry(algorithms=list(algorithms), strict_check_header=False)
