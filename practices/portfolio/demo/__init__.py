"""A fictional demo: practices in every stage, made through the services as people would have.

Nothing of it is real: codes, names, addresses and telephone numbers stand in no
directory (numbers are from the ranges Ofcom keeps free for drama).
"""

from .seeding import Outcome, is_seeded, seed

__all__ = ["Outcome", "is_seeded", "seed"]
