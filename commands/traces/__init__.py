"""Traces: what one cause set in motion, from its bytes to its last effect."""
