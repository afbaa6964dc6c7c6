"""What the product can do: one file an area, each message with its handler beside it."""
