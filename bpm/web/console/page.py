"""`GET /console/`: the page, as it was built, and its assets, which never change under one name."""

import gzip
import html
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bpm.edge.envelope import problem
from bpm.errors import NotFound
from bpm.security.identifiers import new_id
from bpm.settings.groups import ConsoleSettings
from bpm.web.compressed_document import accepted_encodings
from bpm.web.exception_handlers import response_of

DIST = Path(__file__).parent / "dist"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing on the page comes from outside, and nothing inline is run."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
UNPACKED = {".woff2"}
"""What is compressed by its own kind."""


INSTALLATION = '<meta name="installation" content="{}" class="{}">'
"""By which the page knows what this installation is called."""


class ConsolePage:
    """The built console, held in memory; an installation may have been made without it."""

    def __init__(self, folder: Path, settings: ConsoleSettings) -> None:
        """Read what was built, and write the installation's name into the page."""
        index = folder / "index.html"
        named = INSTALLATION.format(html.escape(settings.installation), settings.colour)
        text = index.read_text().replace(INSTALLATION.format("", "grey"), named) if index.exists() else None
        self._index = text.encode() if text is not None else None
        self._zipped: dict[str, bytes] = {}
        self._assets = {path.name: path.read_bytes() for path in (folder / "assets").glob("*")} if self._index else {}

    def page(self, request: Request) -> Response:
        """Answer with the page, or say why there is none."""
        if self._index is None:
            return _missing(
                "the console was left out of this installation (BPM_SKIP_UI); /docs/api shows every message"
            )
        return Response(self._index, headers={**HEADERS, "Cache-Control": "no-cache"}, media_type="text/html")

    def asset(self, request: Request) -> Response:
        """Answer with an asset, compressed as the browser can read it."""
        name: str = request.path_params["name"]
        kind = TYPES.get(Path(name).suffix)
        if kind is None or name not in self._assets:
            return _missing(f"nothing is at {request.url.path}")
        body, encoding = self._packed(name, request.headers)
        headers = {**HEADERS, **FOR_EVER, "Vary": "Accept-Encoding", **encoding}
        return Response(body, headers=headers, media_type=kind)

    def _packed(self, name: str, headers: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
        accepted = accepted_encodings(headers)
        if "br" in accepted and f"{name}.br" in self._assets:
            return self._assets[f"{name}.br"], {"Content-Encoding": "br"}
        if "gzip" in accepted and Path(name).suffix not in UNPACKED:
            return self._zip(name), {"Content-Encoding": "gzip"}
        return self._assets[name], {}

    def _zip(self, name: str) -> bytes:
        """The gzip form, made when it is first asked for: few browsers take no brotli."""
        if name not in self._zipped:
            self._zipped[name] = gzip.compress(self._assets[name])
        return self._zipped[name]


def lead_to_console(request: Request) -> Response:
    """Send a browser on to `console/`, relative to where it is, so that a path before ours stays."""
    return RedirectResponse("console/", 302)


def _missing(what: str) -> Response:
    request_id = new_id()
    return response_of(problem(NotFound(what, message="No such address."), request_id), request_id)
