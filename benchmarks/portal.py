"""The portal's pages with 2,000 organizations and 20,000 FHIR endpoints in the database.

``manage.py seed_portal`` adds them; administrators of 40 of the organizations open their pages in turn over
HTTP. The time is the whole request as its caller sees it, so it is more than the server's own.
"""

import os
import statistics
import subprocess
import sys
import time

import requests

from benchmarks.harness import Row
from core import scope

ROUNDS = 8
MOST_MILLISECONDS = 150.0
PAGES = {"setup, the portal's home": "/setup/", "FHIR base URLs": "/setup/endpoints/", "keys": "/setup/keys/"}


def measure() -> list[Row]:
    """Seed, sign administrators in, and return median and 95th percentile of each page."""
    subprocess.run([sys.executable, "manage.py", "seed_portal"], check=True)
    sessions = _sessions()
    rows = []
    for name, path in PAGES.items():
        times = [_milliseconds(session, path) for _ in range(ROUNDS) for session in sessions]
        twentieths = statistics.quantiles(times, n=20)
        rows.append(Row(metric=f"{name}: median", value=statistics.median(times), unit="ms"))
        rows.append(Row(metric=f"{name}: p95", value=twentieths[-1], unit="ms", target=MOST_MILLISECONDS))
    return rows


def _sessions() -> list[requests.Session]:
    """Return a signed-in session for every seeded administrator, warmed up by one request."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")
    import django  # noqa: PLC0415 - only now is it known that this benchmark runs

    django.setup()
    scope.use_for_process(scope.of_platform("benchmark"))
    from django.conf import settings  # noqa: PLC0415 - after the set-up
    from django.test import Client  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from ehrconnector.seeded_portal import PREFIX  # noqa: PLC0415

    sessions = []
    for user in User.objects.filter(username__startswith=f"admin@{PREFIX}"):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = requests.Session()
        session.trust_env = False
        session.cookies.set(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
        _milliseconds(session, "/setup/")
        sessions.append(session)
    return sessions


def _milliseconds(session: requests.Session, path: str) -> float:
    started = time.perf_counter()
    answer = session.get(os.environ["PUBLIC_URL"] + path, allow_redirects=False, timeout=30)
    elapsed = (time.perf_counter() - started) * 1000
    if answer.status_code != requests.codes.ok:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return elapsed
