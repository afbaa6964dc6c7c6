"""Remita: its endpoints, and the question whether a payment that was notified has arrived."""

from router.providers.remita.endpoints import DECLARATION, provider

__all__ = ["DECLARATION", "provider"]
