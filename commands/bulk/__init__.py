"""Bulk jobs: plan one, start it, cancel it, and see what it touched."""
