"""The Celery application: it wakes work up; PostgreSQL rows are the truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")

app = Celery("ehrconnector")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
