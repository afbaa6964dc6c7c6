"""What `deploy/` brings: it is checked as far as the machine has the tools for it."""
