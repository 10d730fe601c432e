"""The peers: Django views that do nothing but as many database round trips as they are told, one by one.

Some of them store a row and commit it, as often as a launch commits something; the others only ask. One view goes by
Django's models, as views do; the other sends statements that are written out, which nothing of Django's can beat.
"""

import os
import uuid
from functools import cache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")

import django
from django.core.asgi import get_asgi_application

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("benchmark"))

from django.conf import settings  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from visits.models import Visit  # noqa: E402


class Bare(models.Model):
    """A row of the table that the benchmark has made."""

    number = models.IntegerField()

    class Meta:
        app_label = "core"
        managed = False
        db_table = "bench_bare"

    def __str__(self) -> str:
        return str(self.number)


def by_statements(request: HttpRequest, trips: int, commits: int) -> HttpResponse:
    """Go to the database ``trips`` times, ``commits`` of them to store a row."""
    with connection.cursor() as cursor:
        for number in range(trips - commits):
            cursor.execute("SELECT %s", [number])
            cursor.fetchone()
        for number in range(commits):
            cursor.execute("INSERT INTO bench_bare (number) VALUES (%s)", [number])
    return HttpResponse(status=204)


def by_models(request: HttpRequest, trips: int, commits: int) -> HttpResponse:
    """Read a visit by its id ``trips - commits`` times, and store ``commits`` rows."""
    known = _some_visit()
    for _ in range(trips - commits):
        Visit.objects.get(pk=known)
    for number in range(commits):
        Bare._default_manager.create(number=number)
    return HttpResponse(status=204)


@cache
def _some_visit() -> uuid.UUID:
    return Visit.objects.values_list("pk", flat=True)[:1].get()


urlpatterns = [
    path("bare/statements/<int:trips>/<int:commits>", by_statements),
    path("bare/models/<int:trips>/<int:commits>", by_models),
]
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = []
application = get_asgi_application()
