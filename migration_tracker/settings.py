"""Settings, all of them. What differs from place to place comes from the environment.

docs/operations.md lists every variable. ``DEVELOPMENT`` means a person's own machine over
plain http; nothing else may switch a protection off.
"""

from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pghistory
from csp.constants import NONE, SELF

from .environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- Where we are -------------------------------------------------------------------------

DEVELOPMENT = env.bool("DEVELOPMENT", default=False)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Seals the chains of events. It is for life: docs/operations.md says what changing it takes.
HISTORY_KEY = env.str("HISTORY_KEY", default=SECRET_KEY) if DEVELOPMENT else env.str("HISTORY_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
SITE_URL = env.str("SITE_URL").rstrip("/")

# --- Parts --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "migration_tracker.apps.SiteConfig",
    "practices.common",
    "practices.directory",
    "practices.accounts",
    "practices.plans",
    "practices.tracking",
    "practices.reminders",
    "practices.portfolio",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "csp",
    "django_htmx",
    "pgtrigger",
    "pghistory",
]

MIDDLEWARE = [
    "migration_tracker.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "practices.accounts.middleware.ViewAs",
    "migration_tracker.sign_in.SignInFirst",
    "migration_tracker.middleware.NoStore",
    "django.contrib.messages.middleware.MessageMiddleware",
    "migration_tracker.middleware.NoNul",
    "migration_tracker.not_allowed.NotAllowed",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
]

ROOT_URLCONF = "migration_tracker.urls"
WSGI_APPLICATION = "migration_tracker.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "migration_tracker.context.site",
                "practices.accounts.context.navigation",
                "practices.reminders.context.late_mail",
                "practices.reminders.context.inbox",
            ],
        },
    },
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "nhsuk"
CRISPY_TEMPLATE_PACK = "nhsuk"
CRISPY_FAIL_SILENTLY = False

# --- Databases: an owner that migrates, an app role that runs the site ----------------------


def _database(variable: str, **server_settings: str) -> dict[str, Any]:
    config = env.db_url(variable)
    options = config.setdefault("OPTIONS", {})
    options["application_name"] = f"migration tracker ({variable.removesuffix('_URL').lower()})"
    options["options"] = " ".join(f"-c {key}={value}" for key, value in server_settings.items())
    options["prepare_threshold"] = 5  # times; for practices.common.prepared.kept_ready
    return {**config, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}


# Pages join ten tables by key to show one row. Weighing every order of such a join takes
# PostgreSQL 20 ms, reading the row less than one; the order the ORM writes is a good one.
KEEP_JOIN_ORDER = {"join_collapse_limit": "4"}

# The web start command sets DATABASE_POOL; workers and commands open a connection when they
# need one. A page that waits longer than these limits has failed, so the database says so.
if env.bool("DATABASE_POOL", default=False):
    _default = _database(
        "DATABASE_URL",
        **KEEP_JOIN_ORDER,
        lock_timeout="2s",
        statement_timeout="15s",
        idle_in_transaction_session_timeout="30s",
    )
    _default["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=8),
        "timeout": 10,  # seconds to wait for a connection before the page fails
        "max_idle": 300,
        # A page that waits for a connection waits for the next of these attempts, which come
        # ever more rarely: given up early, the next page that needs one begins anew.
        "reconnect_timeout": 2,
    }
else:
    _default = _database("DATABASE_URL", **KEEP_JOIN_ORDER, lock_timeout="10s")

DATABASES = {"default": _default}
if env.str("OWNER_DATABASE_URL", default="") or env.str("OWNER_DATABASE_URL_FILE", default=""):
    DATABASES["owner"] = _database("OWNER_DATABASE_URL", lock_timeout="2s")

# The role that practices.common.privileges grants the site's rights to.
APP_ROLE = DATABASES["default"]["USER"]

# Sign-in limits live in the cache and must outlive Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}

# --- People and sessions --------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "practices.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "practices.accounts.sign_in.LoginForm",
    "reset_password": "practices.accounts.sign_in.ResetPasswordForm",
    "reset_password_from_key": "practices.accounts.sign_in.ResetPasswordKeyForm",
    "change_password": "practices.accounts.sign_in.ChangePasswordForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme
# A whole building shares one address, so only the limit per account is tight.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "60/m/ip,5/5m/key",
    "invitation": "60/m/ip",  # opening the link of an invitation
    "keep_unsent": "60/m/ip",  # forms of people who were signed out (unsent.py)
}
# Proxies of ours in front of gunicorn; the client's address is read past exactly that many.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0 if DEVELOPMENT else 1)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "migration_tracker.sign_in.stale_page"

# --- What browsers are told -----------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True

if not DEVELOPMENT:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Files ----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [("build", BASE_DIR / "static" / "build")]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Never served by address: a view checks who asks and sends the file as an attachment.
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(BASE_DIR / "var" / "media"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000  # a checklist of 307 tasks fits several times over
DATA_UPLOAD_MAX_NUMBER_FILES = 20
EVIDENCE_MAX_MB = env.int("EVIDENCE_MAX_MB", default=10)  # a file added to a task
IMPORT_MAX_MB = env.int("IMPORT_MAX_MB", default=25)  # a list of practices

# --- Time and language: UTC inside, UK time outside -------------------------------------------

USE_TZ = True
TIME_ZONE = "Europe/London"
LANGUAGE_CODE = "en-gb"
USE_I18N = False

# --- Mail -------------------------------------------------------------------------------------

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
# Django's own default is to wait for ever on a mail server that stalls.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=15)  # seconds, per socket operation
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Whom the accessibility statement and the error pages name.
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default=parseaddr(DEFAULT_FROM_EMAIL)[1])
# Where the local mail server of `make run` keeps what was sent; only DEVELOPMENT shows it.
DEV_MAIL_DIR = env.str("DEV_MAIL_DIR", default="")

# --- Row history ------------------------------------------------------------------------------

# History is read by the row it is about; each other index would only slow every write down.
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)

# --- Jobs: Celery is the doorbell, PostgreSQL is the truth ------------------------------------

CELERY_BROKER_URL = env.str("REDIS_URL")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300  # seconds
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30  # seconds
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,  # seconds
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "retry_on_timeout": False,
    # A page rings once: kombu would try for 6 seconds while the person waits.
    "max_retries": 0,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = env.str(
    "BEAT_SCHEDULE_FILE", default=str(BASE_DIR / "var" / "beat-schedule")
)
CELERY_BEAT_SCHEDULE = {
    "reminders": {"task": "practices.reminders.tasks.sweep", "schedule": 60.0},
    "jobs": {"task": "practices.common.tasks.restart_jobs", "schedule": 60.0},
    "orphans": {"task": "practices.common.tasks.remove_orphans", "schedule": 6 * 60 * 60.0},
    "sessions": {"task": "practices.common.tasks.remove_ended_sessions", "schedule": 60 * 60.0},
}

# --- Log: to standard error, every line with the id of the request it belongs to ---------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "migration_tracker.middleware.RequestIdFilter"},
        "no_traceback": {"()": "migration_tracker.middleware.NoTraceback"},
    },
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "no_traceback"],
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # It warns of every HEAD request, whose body Django leaves to the server to drop.
        "gunicorn.http.wsgi": {"level": "ERROR"},
    },
}
