"""Webhook configurations: made, checked, tried, back-tested and paused; and the chains of commands that they run."""
