"""Deliveries: what was sent to whom, what was answered, and how to send it again."""
