"""The web edge: messages over HTTP, the catalogue as OpenAPI, health, and errors as answers."""
