"""How others do it, as Celery tasks on the same rows: one task for each text, and one ETA task for each reminder.

``deliver`` follows GOV.UK Notify's ``deliver_sms``: read the row, send only if nobody has, call the supplier,
save. Workers: ``celery -A benchmarks._sms.peers worker``.
"""

import os
from typing import Any

import django
from celery import Celery

from core import scope

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")
django.setup()
scope.use_for_process(scope.of_platform("benchmark"))

from django.conf import settings  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402

from config_portal.services.connections import approved_configuration  # noqa: E402
from sms.models import SmsMessage  # noqa: E402
from sms.providers.base import OutgoingText  # noqa: E402
from sms.services import composing, suppliers  # noqa: E402
from visits.services import links  # noqa: E402

app = Celery("peers", broker=settings.REDIS_URL)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    task_default_queue="peers",
)


@app.task(name="peers.deliver")
def deliver(text_id: str) -> None:
    """Send one text, as one task."""
    text = SmsMessage.objects.select_related("visit__endpoint__approved_version", "contact").get(pk=text_id)
    if text.state != SmsMessage.State.PENDING or text.contact is None:
        return
    now = timezone.now()
    configuration = approved_configuration(text.visit.endpoint)
    body = composing.body_of(text, configuration, link=links.ensure_link(text.contact))
    outgoing = OutgoingText(
        to=text.contact.phone,
        sender=str(configuration.part("sms")["number"]),
        body=body,
        key=text.pk,
        reference=str(text.pk),
        first_sent_at=now,
        receipt_url="",
    )
    acceptance = suppliers.provider("acs").send(outgoing)
    text.state, text.supplier_message_id = SmsMessage.State.ACCEPTED, acceptance.message_id
    text.first_sent_at, text.accepted_at = now, timezone.now()
    text.save()


def enqueue(ids: list[Any], **options: Any) -> None:
    """Send a task for each text."""
    with app.producer_pool.acquire(block=True) as producer:
        for text_id in ids:
            deliver.apply_async(args=(str(text_id),), producer=producer, **options)
