"""The peer: a Django view that does nothing but as many database round trips as it is told, one by one.

Some of them store a row and commit it, as often as a launch commits something; the others only ask.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")

import django
from django.core.asgi import get_asgi_application

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("benchmark"))

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


def bare(request: HttpRequest, trips: int, commits: int) -> HttpResponse:
    """Go to the database ``trips`` times, ``commits`` of them to store a row in a table that the benchmark has made."""
    with connection.cursor() as cursor:
        for number in range(trips - commits):
            cursor.execute("SELECT %s", [number])
            cursor.fetchone()
        for number in range(commits):
            cursor.execute("INSERT INTO bench_bare (number) VALUES (%s)", [number])
    return HttpResponse(status=204)


urlpatterns = [path("bare/<int:trips>/<int:commits>", bare)]
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = []
application = get_asgi_application()
