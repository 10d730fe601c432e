"""The peer: a Django view that does nothing but as many database round trips as it is told, one by one."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")

import django
from django.core.asgi import get_asgi_application

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


def bare(request: HttpRequest, trips: int) -> HttpResponse:
    """Ask the database ``trips`` times."""
    with connection.cursor() as cursor:
        for number in range(trips):
            cursor.execute("SELECT %s", [number])
            cursor.fetchone()
    return HttpResponse(status=204)


urlpatterns = [path("bare/<int:trips>", bare)]
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = []
application = get_asgi_application()
