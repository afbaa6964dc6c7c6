"""The product about itself: its catalogue and state, its scheduled messages, and what it deletes when it is old."""
