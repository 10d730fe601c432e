import os

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_the_tests_run_on_a_real_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 140000


def test_every_worker_has_its_own_redis_database(redis_client):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw-1")
    assert redis_client.get_connection_kwargs()["db"] == int(worker[2:]) + 1
    assert settings.CELERY_BROKER_URL == settings.REDIS_URL == settings.CACHES["default"]["LOCATION"]
