"""Subscriptions: who is sent which events, where, and how."""
