"""Small models and the traces that the standard's text asks for."""
