"""The site's settings as tests use them: the same, with a cheap password hasher."""

import os

# Nothing answers here: a test that needs a server asks for its fixture.
NOWHERE = {
    "DATABASE_URL": "postgres://app@127.0.0.1:1/none",
    "OWNER_DATABASE_URL": "",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
# Servers that tests are to use; without them they start their own (servers.py). They are kept
# under another name, because the processes of pytest-xdist begin with this one's environment.
for name, nowhere in NOWHERE.items():
    if os.environ.get(name, nowhere) != nowhere:
        os.environ[f"GIVEN_{name}"] = os.environ.pop(name)
GIVEN = {name: os.environ[f"GIVEN_{name}"] for name in NOWHERE if f"GIVEN_{name}" in os.environ}
os.environ.update(
    {
        "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-1",
        "HISTORY_KEY": "only-for-tests-only-for-tests-only-for-tests-2",
        "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
        "SITE_URL": "http://testserver",
        "DEVELOPMENT": "true",
        "DEFAULT_FROM_EMAIL": "Migration Tracker <tracker@example.test>",
        **{name: nowhere for name, nowhere in NOWHERE.items() if nowhere},
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
