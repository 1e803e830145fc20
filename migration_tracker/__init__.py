"""The site: settings, addresses, job runner and the local servers. No domain rule."""

from .celery import app as celery_app

__all__ = ["celery_app"]
