"""The Celery app: a doorbell. What must happen is a row in PostgreSQL, never only a message."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "migration_tracker.settings")

app = Celery("migration_tracker")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect
@celeryd_init.connect
def start_only_when_safe(**_: Any) -> None:
    """The same refusal as the web server's. Celery swallows every exception but this one."""
    from .checks import refuse_unsafe

    try:
        refuse_unsafe()
    except ImproperlyConfigured as fault:
        raise SystemExit(str(fault)) from fault
