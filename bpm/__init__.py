"""The platform: bus, store, jobs and web. It knows no particular command, provider or script."""
