"""Pages about people: the invitation they open, who belongs where, seeing as somebody else."""
