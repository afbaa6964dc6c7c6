"""The limits: small real programs that do a part of our server's work and nothing else."""
