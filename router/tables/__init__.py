"""Stored requests and the configurations that they came to: one file a noun."""
