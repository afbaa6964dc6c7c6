"""Single sign-on for the console: the authorization code flow of OpenID Connect, with PKCE."""

from bpm.web.console.oidc.provider import SignOnProvider
from bpm.web.console.oidc.routes import oidc_routes

__all__ = ["SignOnProvider", "oidc_routes"]
