"""Mono: its endpoints, what its events say, and the exchange of a browser's code for an account's id."""

from router.providers.mono.endpoints import DECLARATION, provider

__all__ = ["DECLARATION", "provider"]
