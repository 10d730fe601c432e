"""Settings of the sandbox process: the offline twin of Epic, Entra, Graph, Teams, ACS and Twilio.

It shares nothing with the connector but ``core``'s look: own database, own cookies, own secrets.
It binds loopback only and must never face a network.
"""

import secrets
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

DEBUG = False
SECRET_KEY = env.str("SANDBOX_SECRET_KEY", default=secrets.token_urlsafe(32))
SANDBOX_URL = env.str("SANDBOX_URL", default="http://127.0.0.1:8100").rstrip("/")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

# What the twin calls: the connector, as Epic and Microsoft would.
MLLP_CLIENT_CERTIFICATE_PATH = env.str("SANDBOX_MLLP_CLIENT_CERTIFICATE_PATH", default="")
MLLP_CLIENT_KEY_PATH = env.str("SANDBOX_MLLP_CLIENT_KEY_PATH", default="")
MLLP_CA_PATH = env.str("SANDBOX_MLLP_CA_PATH", default="")

INSTALLED_APPS = ["sandbox", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.staticfiles"]
MIDDLEWARE = [
    "sandbox.middleware.LoopbackOnly",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "sandbox.urls"
ASGI_APPLICATION = "sandbox.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "core" / "templates"],  # core's look, none of its tables
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "core.context_processors.page",
            ],
            "builtins": ["core.templatetags.ui"],
        },
    },
]
DATABASES = {"default": env.db_url("SANDBOX_DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_COOKIE_NAME = "sandbox_session"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "core" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s sandbox %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
