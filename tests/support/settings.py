"""The site's settings as tests use them: the same, with a cheap password hasher."""

import os

# Servers that tests are to use; without them they start their own (servers.py).
GIVEN = {
    name: os.environ.pop(name)
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL")
    if os.environ.get(name)
}
os.environ.update(
    {
        "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-1",
        "HISTORY_KEY": "only-for-tests-only-for-tests-only-for-tests-2",
        "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
        "SITE_URL": "http://testserver",
        "DEVELOPMENT": "true",
        "DEFAULT_FROM_EMAIL": "Migration Tracker <tracker@example.test>",
        # Nothing answers here: a test that needs a server asks for its fixture.
        "DATABASE_URL": "postgres://app@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
)

from migration_tracker.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # pages are tested without collected files, except in the browser

# A statement that never ends shall say so itself: interrupted from outside, it would go on in
# the server and hold its locks against the tests that follow.
DATABASES["default"]["OPTIONS"]["options"] += " -c statement_timeout=60s"  # noqa: F405
