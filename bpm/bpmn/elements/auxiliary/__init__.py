"""What is done beside an element, such as the scripts of its mappings; each is a node of its own."""
