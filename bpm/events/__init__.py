"""Events: what happened, for whoever wants to know."""
