"""Refusals: what a service says when it will not act."""


class Refused(Exception):
    """An act that is not allowed now; the message is one clear sentence for the person."""


class Conflict(Refused):
    """Somebody changed it since the page was shown; nothing was overwritten."""
