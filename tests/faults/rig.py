"""Settings of the processes of a fault run: the site's, with everything that waits made short."""

from migration_tracker.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.rigging.Rigging"]  # noqa: F405
CELERY_BEAT_SCHEDULE = {
    "reminders": {"task": "practices.reminders.tasks.sweep", "schedule": 1.0},
}
CELERY_BEAT_MAX_LOOP_INTERVAL = 0.5  # seconds
EMAIL_TIMEOUT = 1  # seconds
