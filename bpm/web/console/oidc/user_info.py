"""The provider's userinfo endpoint (OpenID Connect Core, section 5.3): what it tells beside the ID token."""

import re
from typing import Any

from bpm.accounts.id_tokens import IdTokenError
from bpm.errors import Unavailable
from bpm.web.console.oidc.answers import json_object
from bpm.web.console.oidc.client import OK, SignOnClient

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{1,16384}=*")
"""An access token as it may stand in a header (RFC 6750, section 2.1)."""


async def ask_user_info(client: SignOnClient, url: str, access_token: object, subject: str) -> dict[str, Any]:
    """Return the claims that the endpoint tells about `subject`.

    Raises `Unavailable` where it tells nothing, and `IdTokenError` where it tells of somebody else.
    """
    if not isinstance(access_token, str) or not _TOKEN.fullmatch(access_token):
        raise IdTokenError("the provider gave no access token to ask its userinfo endpoint with")
    reply = await client.get_as(url, access_token)
    if reply.status != OK:
        raise Unavailable(f"the provider's userinfo endpoint answered {reply.status}", retry_after=10)
    claims = json_object(reply.body)
    if not claims:
        raise Unavailable("the provider's userinfo endpoint answered no JSON object", retry_after=10)
    if claims.get("sub") != subject:
        raise IdTokenError("the provider's userinfo endpoint told of somebody else (sub)")
    return claims
