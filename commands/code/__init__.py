"""Scripts: run one in the sandbox, say what is wrong with it, look at earlier runs and replay them."""
