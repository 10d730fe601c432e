"""Every setting of the connector, driven by the environment.

``docs/configuration.md`` explains each variable. A variable's value may also be read from a file
named by the same variable with ``_FILE`` behind it. What a hospital sets for itself (organizations,
FHIR endpoints, texts) lives in the database, not here.
"""

from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ

from ehrconnector.schedule import BEAT_SCHEDULE
from ehrconnector.settings_sign_in import entra_provider

django_stubs_ext.monkeypatch()  # typed generics, such as ModelAdmin[Visit], at run time

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()
environ.Env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")), overwrite=False)

# --- Where it runs -------------------------------------------------------------------------------
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
PUBLIC_URL = env.str("PUBLIC_URL").rstrip("/")  # how browsers and other systems reach us
_PUBLIC = urlsplit(PUBLIC_URL)
IS_HTTPS = _PUBLIC.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_PUBLIC.hostname])
AUTHORIZE_TEST_AUTOMATICALLY = env.bool("AUTHORIZE_TEST_AUTOMATICALLY", default=False)
DEPLOYMENT_REGION = env.str("DEPLOYMENT_REGION", default="americas")  # americas | emea | asia-pacific

INSTALLED_APPS = [
    "ehrconnector",
    "reports",
    "launch",
    "hl7intake",
    "sms",
    "writeback",
    "meetings",
    "visits",
    "config_portal",
    "accounts",
    "core",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "core.support_desk_app.SupportDeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.PlainHttpMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.session_limits.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config_portal.middleware.OrganizationMiddleware",
    "core.middleware.ScopeMiddleware",
]

ROOT_URLCONF = "ehrconnector.urls"
ASGI_APPLICATION = "ehrconnector.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context_processors.page",
            ],
            "builtins": ["core.templatetags.ui"],
        },
    },
]

# --- Data ----------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", engine="core.postgresql")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5
# Under ASGI every request has a thread of its own, and a kept connection would stay behind with it: they share a pool.
if _POOL_SIZE := env.int("DATABASE_POOL_SIZE", default=0):
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 2, "max_size": _POOL_SIZE, "timeout": 15.0}
    DATABASES["default"]["CONN_MAX_AGE"] = 0
REDIS_URL = env.str("REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# Keys protect ciphertexts: "id:base64 of 32 bytes", newest first; keep old ones until re-encrypted.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS")
INDEX_KEY = env.str("INDEX_KEY")  # base64 of 32 bytes; look-up indexes and join links depend on it

VISIT_ID_DAYS = env.int("VISIT_ID_DAYS", default=30)  # how long Epic's ids are kept after a visit

# --- Background work ------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # however long Redis is away, the worker is there when it is back
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # the rows they hold are claimed; let them end
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 1,
}
CELERY_TASK_PUBLISH_RETRY = False  # the row is the truth; a sweeper picks it up when Redis is back
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {f"{app}.*": {"queue": app} for app in ("sms", "meetings", "writeback")}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

# --- Other systems --------------------------------------------------------------------------------
ENTRA_BASE_URL = env.str("ENTRA_BASE_URL", default="https://login.microsoftonline.com")
ENTRA_STS_ISSUER = env.str("ENTRA_STS_ISSUER", default="https://sts.windows.net")
ENTRA_TENANT_ID = env.str("ENTRA_TENANT_ID", default="")
ENTRA_CLIENT_ID = env.str("ENTRA_CLIENT_ID", default="")
ENTRA_CLIENT_SECRET = env.str("ENTRA_CLIENT_SECRET", default="")
GRAPH_BASE_URL = env.str("GRAPH_BASE_URL", default="https://graph.microsoft.com")
# Who comes and goes, live; a beta interface of Graph. Without it attendance reports tell it afterwards.
GRAPH_MEETING_EVENTS = env.bool("GRAPH_MEETING_EVENTS", default=True)
# That a call has a record, at once; without it the hourly sweep finds it.
GRAPH_CALL_RECORD_EVENTS = env.bool("GRAPH_CALL_RECORD_EVENTS", default=True)
GRAPH_NOTIFIER_APP_ID = env.str("GRAPH_NOTIFIER_APP_ID", default="0bf30f3b-4a52-48df-9a82-234910c4a086")
ACS_ENDPOINT = env.str("ACS_ENDPOINT", default="")
ACS_ACCESS_KEY = env.str("ACS_ACCESS_KEY", default="")
ACS_WEBHOOK_SECRET = env.str("ACS_WEBHOOK_SECRET", default="")
ACS_EVENT_TOPIC = env.str("ACS_EVENT_TOPIC", default="")  # the Event Grid topic that may subscribe; empty: any
SMS_SETTLE_SECONDS = env.int("SMS_SETTLE_SECONDS", default=60)  # a new time or a cancellation is told so much later
TWILIO_API_BASE_URL = env.str("TWILIO_API_BASE_URL", default="https://api.twilio.com")
TWILIO_MESSAGING_BASE_URL = env.str("TWILIO_MESSAGING_BASE_URL", default="https://messaging.twilio.com")
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")

# Scheduled reports and alerts. Without a sender nothing is mailed.
EMAIL_FROM: str = env.str("EMAIL_FROM", default="")
vars().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_TIMEOUT = 20
ALERT_EMAILS: list[str] = env.list("ALERT_EMAILS", default=[])  # told of everything an Epic contact is told

# Outbound calls reach public https addresses only; the operator may add networks, never a tenant.
OUTBOUND_ALLOWED_NETWORKS = env.list("OUTBOUND_ALLOWED_NETWORKS", default=[])
OUTBOUND_ALLOW_HTTP = env.bool("OUTBOUND_ALLOW_HTTP", default=False)

# --- HL7 listener ---------------------------------------------------------------------------------
MLLP_HOST = env.str("MLLP_HOST", default="0.0.0.0")  # noqa: S104 - hospitals' engines connect from outside
MLLP_PORT = env.int("MLLP_PORT", default=2575)
# What senders are told to connect to, and where the portal's own test message goes.
MLLP_PUBLIC_HOST = env.str("MLLP_PUBLIC_HOST", default=_PUBLIC.hostname or "localhost")
MLLP_TLS_CERTIFICATE_PATH = env.str("MLLP_TLS_CERTIFICATE_PATH", default="")
MLLP_TLS_KEY_PATH = env.str("MLLP_TLS_KEY_PATH", default="")
MLLP_CONNECTIONS_PER_SENDER = env.int("MLLP_CONNECTIONS_PER_SENDER", default=64)
MLLP_HANDSHAKE_SECONDS = env.float("MLLP_HANDSHAKE_SECONDS", default=10.0)
MLLP_MESSAGE_SECONDS = env.float("MLLP_MESSAGE_SECONDS", default=30.0)  # for a begun message to be complete
MLLP_ALLOW_PLAIN = env.bool("MLLP_ALLOW_PLAIN", default=False)  # without TLS on other than loopback addresses
HL7_PROXY_SECRET = env.str("HL7_PROXY_SECRET", default="")  # the proxy that verified a client certificate knows it
HL7_SIGNATURE_DAYS = env.int("HL7_SIGNATURE_DAYS", default=7)  # how old a new signed message may be
HL7_MESSAGE_BYTES = env.int("HL7_MESSAGE_BYTES", default=1_048_576)
HL7_SEGMENTS = env.int("HL7_SEGMENTS", default=2_000)
HL7_REPETITIONS = env.int("HL7_REPETITIONS", default=10_000)

# --- Staff sign-in --------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 14}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapters.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.EntraAccountAdapter"
SOCIALACCOUNT_ONLY = True
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS = entra_provider(
    base_url=ENTRA_BASE_URL,
    tenant_id=ENTRA_TENANT_ID,
    client_id=ENTRA_CLIENT_ID,
    client_secret=ENTRA_CLIENT_SECRET,
)

# --- Cookies, transport, content ------------------------------------------------------------------
SESSION_COOKIE_AGE = 8 * 60 * 60  # the longest a staff session lasts, whatever happens
STAFF_IDLE_SECONDS: int = env.int("STAFF_IDLE_MINUTES", default=15) * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-connector" if IS_HTTPS else "connector"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "connector_csrf"
CSRF_FAILURE_VIEW = "core.views.csrf_failure"
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"]
SECURE_SSL_REDIRECT = IS_HTTPS
REFUSED_WITHOUT_TLS = ["/webhooks/", "/hl7/", "/api/"]  # never redirect a secret from http
SECURE_REDIRECT_EXEMPT = [
    r"^webhooks/",
    r"^hl7/",
    r"^api/",
    r"^healthz$",
    r"^readyz$",
    r"^metrics$",
]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
# Nothing goes to other sites. Not "no-referrer": with that, browsers send "Origin: null" with our own forms,
# and Django's check of the origin refuses them.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

_SELF = "'self'"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": [_SELF],
        "style-src": [_SELF],
        "img-src": [_SELF, "data:"],
        "font-src": [_SELF],
        "connect-src": [_SELF],
        "media-src": [_SELF, "blob:"],
        "manifest-src": [_SELF],
        "form-action": [_SELF],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    },
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "camera": [],
    "microphone": [],
    "geolocation": [],
    "payment": [],
    "usb": [],
    "display-capture": [],
}

# --- Languages, time, files -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "launch" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "core.static_files.StaticFiles"},
}

# --- API, logs ------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["config_portal.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config_portal.api.authentication.HasScope"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config_portal.api.errors.explain",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "EHR connector",
    "DESCRIPTION": "What the configuration portal does, for scripts with a token of one organization.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "PreflightLineState": "config_portal.models.PreflightLine.State",
        "PreflightRunState": "config_portal.models.PreflightRun.State",
        "KeyState": "config_portal.models.SigningKey.State",
        "ConsentKind": "sms.models.SmsConsent.Kind",
        "NumberKind": "sms.models.PhoneNumber.Kind",
        "NumberOrderState": "sms.models.NumberOrder.State",
        "NumberVerification": "sms.models.PhoneNumber.Verification",
    },
}
AUDIT_HEADS_PATH: str = env.str("AUDIT_HEADS_PATH", default="")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # empty: /metrics answers this machine only
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "core.logging.configure"
LOGGING = {"level": LOG_LEVEL}
