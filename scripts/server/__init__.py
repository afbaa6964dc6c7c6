"""The server's side: gives jobs to children, and checks all that they say."""
