"""What suppliers report afterwards: whether a text arrived, and if not why."""

import logging
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config_portal.services.connections import approved_configuration
from core.errors import ConfigurationError
from sms.models import DeliveryEvent, SmsMessage
from sms.providers.base import Delivery, DeliveryReport, Fault
from sms.services import metering, opt_outs, outcomes, planning

State, Status = SmsMessage.State, SmsMessage.ReportStatus

# A receipt only moves a text forward: a late "sent" must not undo "delivered".
_OPEN_STATES = (State.SENDING, State.ACCEPTED, State.UNKNOWN, State.PENDING)

logger = logging.getLogger(__name__)


@transaction.atomic
def record_report(report: DeliveryReport, *, supplier: str, key: str = "", now: datetime) -> bool:
    """Store a delivery report once and bring its text forward; False when it is unknown or a repetition.

    :param key: our own id of the text, when the supplier's address carried it; the report may carry it too.
    """
    message = _find(replace(report, key=report.key or key), supplier=supplier)
    if message is None:
        logger.warning("report about an unknown text", extra={"system": supplier})
        return False
    _, is_new = DeliveryEvent.objects.get_or_create(
        supplier=supplier,
        event_id=report.event_id,
        defaults={
            "message": message,
            "supplier_message_id": report.message_id,
            "state": report.delivery,
            "code": report.code,
            "at": report.at,
        },
    )
    if not is_new:
        return False
    if report.fault == Fault.OPTED_OUT and message.contact and message.contact.phone:
        opt_outs.opt_out(message.organization_id, message.contact.phone, source="supplier")
    if message.state in _OPEN_STATES:
        _bring_forward(message, report, supplier=supplier, now=now)
    return True


def _find(report: DeliveryReport, *, supplier: str) -> SmsMessage | None:
    """Return the text that a report is about, locked: by the supplier's id, by an earlier report's, or by ours."""
    texts = SmsMessage.objects.select_for_update(of=("self",)).select_related("contact", "visit")
    found = texts.filter(supplier=supplier, supplier_message_id=report.message_id).first()
    if found is None and (key := _uuid(report.key)):
        found = texts.filter(pk=key).first()
    if found is None:
        earlier = DeliveryEvent.objects.filter(supplier=supplier, supplier_message_id=report.message_id)
        found = texts.filter(pk__in=earlier.values("message_id")).first()
    return found


def _bring_forward(message: SmsMessage, report: DeliveryReport, *, supplier: str, now: datetime) -> None:
    is_current = message.supplier_message_id in {"", report.message_id} and message.supplier in {"", supplier}
    if report.delivery == Delivery.DELIVERED:
        _finish(message, report, supplier=supplier, state=State.DELIVERED, status=Status.SENT, now=now)
    elif not is_current:
        return  # about a way that was given up; the text is already on another one
    elif report.delivery == Delivery.UNDELIVERED:
        _after_undelivered(message, report, supplier=supplier, now=now)
    elif report.delivery == Delivery.SENT and message.state != State.ACCEPTED:
        _finish(message, report, supplier=supplier, state=State.ACCEPTED, status="", now=now)


def _after_undelivered(message: SmsMessage, report: DeliveryReport, *, supplier: str, now: datetime) -> None:
    """Send it another way where that may help, else it ends as not delivered."""
    after = outcomes.after_report(message, fault=report.fault, has_second_way=_has_second_way(message), now=now)
    if after is None or message.state == State.PENDING:
        _finish(message, report, supplier=supplier, state=State.UNDELIVERED, status=report.reason, now=now)
        return
    values = {"supplier_code": report.code, "report_status": report.reason, **after.values}
    SmsMessage.objects.filter(pk=message.pk).update(
        state=after.state,
        due_at=after.due_at,
        lease_until=None,
        check_at=None,
        error_code="sms.sent_another_way",
        **values,
    )
    metering.count([metering.Outcome(supplier=supplier, state=State.UNDELIVERED, code=report.code)], now=now)


def _finish(
    message: SmsMessage, report: DeliveryReport, *, supplier: str, state: str, status: str, now: datetime
) -> None:
    message.state, message.report_status = state, status
    message.supplier, message.supplier_message_id = supplier, report.message_id
    message.supplier_code, message.error_code = report.code, ""
    message.finished_at, message.lease_until, message.check_at = now, None, None
    message.accepted_at = message.accepted_at or now
    if state == State.DELIVERED:
        message.delivered_at = now
    message.save()
    metering.count([metering.Outcome(supplier=supplier, state=state, code=report.code)], now=now)


def _has_second_way(message: SmsMessage) -> bool:
    try:
        choices = planning.approved_choices(approved_configuration(message.visit.endpoint))
    except ConfigurationError:
        return False
    return bool(choices.get("failover_number"))


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key) if key else None
    except ValueError:
        return None
