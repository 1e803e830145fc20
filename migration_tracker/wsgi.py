"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from .checks import refuse_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "migration_tracker.settings")

application = get_wsgi_application()
refuse_unsafe()
