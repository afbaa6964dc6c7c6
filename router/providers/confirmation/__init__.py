"""Asking providers back: what a notification or a browser claims counts once the provider itself says so."""
