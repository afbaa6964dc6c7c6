"""Access tokens: short-lived JWTs (RFC 7519) in the profile of RFC 9068, signed with HS256 and nothing else."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from bpm.security.identifiers import new_id
from bpm.security.secrets import derive_key, key_id

ISSUER = "bpm-bus"
AUDIENCE = "bpm-bus/api"
TYPE = "at+jwt"
_ALGORITHMS = ["HS256"]


class TokenError(ValueError):
    """The access token is wrong; get a new one from /api/auth/token."""


class TokenExpired(TokenError):
    """The access token has expired; get a new one with the refresh token."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says: whose it is, of which sign-in (`family`), and until when it holds.

    `version` is the user's token version at the time: raising it in the database ends all earlier tokens.
    """

    user_id: int
    version: int
    family: str
    expires_at: datetime


class AccessTokens:
    """Issues and verifies with the sub-key of the installation's key."""

    def __init__(self, key: bytes, lifetime: timedelta, accepted: bytes | None = None) -> None:
        """Take the installation's key, how long a token holds, and the key that is accepted beside it."""
        own = derive_key(key, "signing")
        self._key_id = key_id(own)
        self._key = OctKey.import_key(own)
        self.lifetime = lifetime
        self._accepted = AccessTokens(accepted, lifetime) if accepted is not None else None

    def issue(self, user_id: int, version: int, family: str, now: datetime) -> str:
        """Return a signed token that holds from `now` for the lifetime."""
        issued = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "jti": new_id(),
            "iat": issued,
            "exp": issued + int(self.lifetime.total_seconds()),
            "ver": version,
            "fam": family,
        }
        return jwt.encode({"alg": "HS256", "typ": TYPE, "kid": self._key_id}, claims, self._key, _ALGORITHMS)

    def verify(self, token: str, now: datetime) -> AccessClaims:
        """Return what a token says; raises `TokenExpired`, or `TokenError` for any other fault."""
        if self._accepted is not None:
            with suppress(TokenError):
                return self._accepted.verify(token, now)
        try:
            decoded = jwt.decode(token, self._key, _ALGORITHMS)
            if decoded.header.get("typ") != TYPE or decoded.header.get("kid") != self._key_id:
                raise TokenError(TokenError.__doc__)
            _registry(now).validate(decoded.claims)
            return _claims(decoded.claims)
        except ExpiredTokenError as error:
            raise TokenExpired(TokenExpired.__doc__) from error
        except (JoseError, ValueError, TypeError, OverflowError) as error:
            raise TokenError(TokenError.__doc__) from error


def _registry(now: datetime) -> JWTClaimsRegistry:
    return JWTClaimsRegistry(
        now=int(now.timestamp()),
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True},
        jti={"essential": True},
        exp={"essential": True},
        ver={"essential": True, "allow_blank": True},
        fam={"essential": True},
    )


def _claims(claims: dict[str, Any]) -> AccessClaims:
    return AccessClaims(
        user_id=int(claims["sub"]),
        version=int(claims["ver"]),
        family=str(claims["fam"]),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
