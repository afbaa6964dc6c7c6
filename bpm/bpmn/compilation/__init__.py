"""One process while it is compiled: what its elements ask for, and the problems that they note."""
