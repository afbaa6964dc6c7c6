"""Events: published, looked up, and their types."""
