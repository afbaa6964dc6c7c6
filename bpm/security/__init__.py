"""Who may do what: tokens, passwords, permissions, addresses, secrets."""
