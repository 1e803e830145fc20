"""Pages of plans."""

from .versions import discard, export, plans, publish, retire, upload, version

__all__ = ["discard", "export", "plans", "publish", "retire", "upload", "version"]
