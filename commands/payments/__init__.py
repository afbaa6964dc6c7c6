"""Payments and bank accounts, as the providers tell of them."""
