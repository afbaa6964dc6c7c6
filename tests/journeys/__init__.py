"""A real server process, spoken to as a client would."""
