"""Captured requests: looked at, executed again, given up."""
