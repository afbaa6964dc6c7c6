"""Tasks: work that a person, a command, a script, a decision or a receiver does."""
