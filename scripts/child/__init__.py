"""The child's side: compiles and runs a script in a locked process."""
