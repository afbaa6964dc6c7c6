"""A small order-taking service: commands of an application's own on the bus."""
