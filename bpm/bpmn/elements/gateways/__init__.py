"""Gateways: where a token goes, and which tokens wait for one another."""
