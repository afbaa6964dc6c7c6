"""Process definitions, their instances, and the people and messages that instances wait for."""
