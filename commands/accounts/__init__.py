"""Users, API keys, and the log of what was done."""
