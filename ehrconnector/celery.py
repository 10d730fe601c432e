"""The Celery application: it wakes work up; PostgreSQL rows are the truth."""

import os

from celery import Celery
from celery.signals import beat_init, worker_init

from core import scope

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")

app = Celery("ehrconnector")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def work_for_everybody(**_: object) -> None:
    """Let worker and clock reach the rows of every organization; their child processes inherit it."""
    scope.use_for_process(scope.of_platform("worker"))
