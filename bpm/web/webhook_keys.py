"""`GET /.well-known/webhook-keys/{id}`: the public keys of a subscription, which verify its deliveries."""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bpm.events.public_keys import published_keys
from bpm.exact_json import write_json
from bpm.security.secrets import SecretBox
from bpm.store import Database, utc_now

PATH = "/.well-known/webhook-keys/{id}"
NUMBER = re.compile(r"[1-9][0-9]{0,17}")
KEPT_SECONDS = 300


def webhook_key_routes(database: Database, box: SecretBox) -> list[BaseRoute]:
    """Return the route; it asks for no credentials, because receivers have none."""

    async def serve(request: Request) -> Response:
        id_: str = request.path_params["id"]
        known = NUMBER.fullmatch(id_) is not None
        keys = await database.read(lambda tx: published_keys(tx, int(id_), box, utc_now())) if known else []
        if not keys:
            raise HTTPException(404)
        cached = {"Cache-Control": f"public, max-age={KEPT_SECONDS}"}
        return Response(write_json({"keys": keys}), media_type="application/jwk-set+json", headers=cached)

    return [Route(PATH, serve)]
