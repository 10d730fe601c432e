"""Settings of the tests: the product's own, on throw-away servers and with quick password hashes.

pytest-django reads settings before it reads any ``conftest.py``, so the servers start here.
``tests/conftest.py`` stops them.
"""

import os
from urllib.parse import urlsplit, urlunsplit

from ehrconnector.stack.environment import variables_for_tests
from ehrconnector.stack.throwaway import WORKER, ensure_servers

os.environ.update(variables_for_tests())
ensure_servers()

from ehrconnector.settings import *  # noqa: E402, F403 - only now can settings be read
from ehrconnector.settings import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES, STORAGES  # noqa: E402

# Every worker of pytest-xdist has its own numbered Redis database: 0 without workers, else 1, 2, …
_WORKER_NUMBER = int(os.environ.get(WORKER, "gw-1").removeprefix("gw")) + 1
REDIS_URL = urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{_WORKER_NUMBER}"))
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS, "socket_timeout": 2}

DATABASES["default"]["CONN_MAX_AGE"] = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True
