"""How many requests there were in each stretch of time, told by an index alone."""
