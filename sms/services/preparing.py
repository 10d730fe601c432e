"""Look again at claimed texts, all of a batch at once: whether they still go, which way, in which words.

Everything that may have changed since a text was planned is asked here: the visit, consent, approval, pause,
opt-out, age, caps, pace and health. Nothing is decided from what was true at planning.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from config_portal.models import FhirEndpoint
from config_portal.services.connections import ApprovedConfiguration, approved_configuration
from core.crypto import DecryptionError
from core.errors import ConfigurationError
from sms import wording
from sms.models import OptOut, PhoneNumber, SmsConfiguration, SmsMessage
from sms.providers.base import SmsProvider
from sms.services import composing, consents, countries, limits, opt_outs, planning, quiet, suppliers
from visits.models import JoinLink
from visits.services import links

State, Kind = SmsMessage.State, SmsMessage.Kind

ASK_AGAIN = timedelta(minutes=5)  # about what only a person can change: approval, pause, release, cap
_BUCKETS = 100

logger = logging.getLogger(__name__)


class NotToBeSent(Exception):
    """A claimed text turned out to be stale or forbidden; it ends in ``state``."""

    def __init__(self, state: str, code: str) -> None:
        super().__init__(code)
        self.state = state
        self.code = code


class NotNow(Exception):
    """A claimed text has to wait until ``until``; waiting is no attempt."""

    def __init__(self, code: str, *, until: datetime) -> None:
        super().__init__(code)
        self.code = code
        self.until = until


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a text goes: which number of which supplier."""

    number: PhoneNumber
    provider: SmsProvider

    @property
    def per_minute(self) -> int:
        """How many segments the number may send in a minute."""
        return self.number.per_minute or self.provider.usual_per_minute


@dataclass(kw_only=True)
class Ready:
    """A text that may go out: its way, its words, and what it costs."""

    message: SmsMessage
    way: Way
    body: str
    segments: int
    phone: str
    choices: dict[str, Any] = field(repr=False)


class Batch:
    """What has to be known about claimed texts, each thing read once for all of them."""

    def __init__(self, messages: Sequence[SmsMessage], *, now: datetime) -> None:
        self.messages = messages
        self.now = now
        self._configurations: dict[UUID, ApprovedConfiguration | ConfigurationError] = {}
        self._ways: dict[tuple[UUID, int], Way | ConfigurationError] = {}
        self._endpoints = FhirEndpoint.objects.select_related("approved_version").in_bulk(
            {message.visit.endpoint_id for message in messages}
        )
        drafts = SmsConfiguration.objects.filter(endpoint_id__in=self._endpoints)
        self._switches = {draft.endpoint_id: draft for draft in drafts}
        self._read_phones()
        self._consented = {
            organization_id: consents.are_given(organization_id)
            for organization_id in {message.organization_id for message in messages}
        }

    def ready(self, message: SmsMessage) -> Ready:
        """Return ``message`` with everything needed to send it.

        :raises NotToBeSent: never.
        :raises NotNow: later.
        """
        self.check_still_wanted(message)
        self._check_switches(message)
        configuration = self.configuration(message)
        choices = planning.approved_choices(configuration)
        if not choices:
            raise NotToBeSent(State.SUPPRESSED, "sms.not_approved")
        self._check_country(message, configuration)
        self._check_cap(message, choices)
        self._check_quiet(message, choices)
        return self.worded(message, configuration)

    def worded(self, message: SmsMessage, configuration: ApprovedConfiguration, *, way: Way | None = None) -> Ready:
        """Return ``message`` with its way and words.

        :param way: how it goes; None for the way that is approved now.
        :raises NotNow: the way is not set up.
        """
        contact = message.contact
        assert contact is not None  # noqa: S101 - checked before
        way = way or self._way(message, configuration)
        link = self._links.get(contact.pk) if message.kind != Kind.CANCELLED else None
        body = composing.body_of(message, configuration, link=link)
        return Ready(
            message=message,
            way=way,
            body=body,
            segments=wording.length(body).segments,
            phone=self._phones[message.pk],
            choices=planning.approved_choices(configuration),
        )

    def check_still_wanted(self, message: SmsMessage) -> None:
        """Check what makes a text pointless or forbidden for good."""
        visit, contact = message.visit, message.contact
        if message.visit_version != visit.version or (message.kind != Kind.CANCELLED and not visit.is_scheduled):
            raise NotToBeSent(State.WITHDRAWN, "sms.visit_changed")
        if message.expires_at <= self.now:
            raise NotToBeSent(State.EXPIRED, "sms.too_late")
        if message.pk in self._unreadable:
            raise NotToBeSent(State.FAILED, "sms.number_unreadable")
        if contact is None or message.pk not in self._phones:
            raise NotToBeSent(State.SUPPRESSED, "sms.no_number")
        if not self._consented[message.organization_id]:
            raise NotToBeSent(State.SUPPRESSED, "sms.no_consent")
        if (message.organization_id, self._opt_out_indexes[message.pk]) in self._opted_out:
            raise NotToBeSent(State.SUPPRESSED, "sms.opted_out")

    def configuration(self, message: SmsMessage) -> ApprovedConfiguration:
        """Return what is approved for the text's endpoint.

        :raises NotNow: nothing is, or the endpoint is paused.
        """
        endpoint_id = message.visit.endpoint_id
        if endpoint_id not in self._configurations:
            try:
                self._configurations[endpoint_id] = approved_configuration(self._endpoints[endpoint_id])
            except ConfigurationError as error:
                self._configurations[endpoint_id] = error
        found = self._configurations[endpoint_id]
        if isinstance(found, ConfigurationError):
            raise NotNow(found.code, until=self.now + ASK_AGAIN) from found
        return found

    def _check_switches(self, message: SmsMessage) -> None:
        """Check what acts at once, without an approval: pause and share."""
        switches = self._switches.get(message.visit.endpoint_id)
        if switches is None:
            raise NotToBeSent(State.SUPPRESSED, "sms.not_approved")
        if switches.is_paused:
            raise NotNow("sms.paused", until=self.now + ASK_AGAIN)
        if message.visit_id.int % _BUCKETS >= switches.released_percent:
            raise NotNow("sms.not_released", until=self.now + ASK_AGAIN)

    def _check_country(self, message: SmsMessage, configuration: ApprovedConfiguration) -> None:
        country = str(configuration.snapshot["organization"]["country"])
        if message.contact and not countries.may_text(country, message.contact.phone or ""):
            raise NotToBeSent(State.SUPPRESSED, "sms.country_not_served")

    def _check_cap(self, message: SmsMessage, choices: dict[str, Any]) -> None:
        cap = int(choices["visit_cap"])
        if message.first_sent_at is None and message.contact_id and self._sent.get(message.contact_id, 0) >= cap:
            limits.alarm_visit(message.visit, cap=cap)
            raise NotToBeSent(State.SUPPRESSED, "sms.visit_cap")

    def _check_quiet(self, message: SmsMessage, choices: dict[str, Any]) -> None:
        """Let a text that is late wait for the end of the night, as if it were due now."""
        visit, contact = message.visit, message.contact
        if contact is None or visit.starts_at is None or message.copy:
            return  # a copy was asked for by a person, who knows the time of day
        is_reminder = message.kind == Kind.REMINDER
        lead = timedelta(minutes=message.offset_minutes) if is_reminder else None
        phone = self._phones[message.pk]
        hours = quiet.quiet_hours(choices, visit_zone=visit.time_zone, phone=phone, lead=lead)
        if is_reminder:
            until = quiet.ring_at(self.now, starts_at=visit.starts_at, quiet=hours, now=self.now)
        else:
            until = quiet.confirm_at(self.now, starts_at=visit.starts_at, quiet=hours)
        if until is None or until >= message.expires_at:
            raise NotToBeSent(State.EXPIRED, "sms.quiet_hours")
        if until > self.now:
            raise NotNow("sms.quiet_hours", until=until)

    def _way(self, message: SmsMessage, configuration: ApprovedConfiguration) -> Way:
        key = (message.visit.endpoint_id, message.route)
        if key not in self._ways:
            try:
                self._ways[key] = way_of(message, planning.approved_choices(configuration))
            except ConfigurationError as error:
                self._ways[key] = error
        way = self._ways[key]
        if isinstance(way, ConfigurationError):
            raise NotNow(way.code, until=self.now + ASK_AGAIN) from way
        return way

    @cached_property
    def _opt_out_indexes(self) -> dict[UUID, str]:
        return {
            message.pk: opt_outs.index_of(message.organization_id, self._phones[message.pk])
            for message in self._with_phone()
        }

    @cached_property
    def _opted_out(self) -> set[tuple[UUID, str]]:
        found = OptOut.objects.filter(phone_index__in=set(self._opt_out_indexes.values()), ended_at=None)
        return set(found.values_list("organization_id", "phone_index"))

    @cached_property
    def _sent(self) -> dict[UUID, int]:
        return limits.sent_to([message.contact_id for message in self.messages if message.contact_id], now=self.now)

    @cached_property
    def _links(self) -> dict[UUID, JoinLink]:
        wanted = [message for message in self._with_phone() if message.kind != Kind.CANCELLED]
        current = [message for message in wanted if message.visit_version == message.visit.version]
        return links.ensure_links(
            {message.contact_id: message.contact for message in current if message.contact}.values()
        )

    def _with_phone(self) -> Iterable[SmsMessage]:
        return (message for message in self.messages if message.pk in self._phones)

    def _read_phones(self) -> None:
        """Open every number once. One that was altered or moved ends its own text, and no other."""
        self._phones: dict[UUID, str] = {}
        self._unreadable: set[UUID] = set()
        for message in self.messages:
            try:
                phone = message.contact.phone if message.contact else None
            except DecryptionError:
                logger.exception("a number cannot be read", extra={"text": str(message.pk)})
                self._unreadable.add(message.pk)
                continue
            if phone:
                self._phones[message.pk] = phone


def way_of(message: SmsMessage, choices: dict[str, Any]) -> Way:
    """Return the number and adapter of the text's route.

    :raises ConfigurationError: ``sms.number_missing`` or ``sms.supplier_not_configured``.
    """
    is_second = message.route == SmsMessage.SECOND_ROUTE
    wanted = str(choices["failover_number" if is_second else "number"])
    numbers = PhoneNumber.objects.held().filter(organization=message.organization_id)
    number = numbers.filter(number=wanted).first()
    if number is None:
        raise ConfigurationError("sms.number_missing", "The number that was approved is no longer held.")
    return Way(number=number, provider=suppliers.provider(number.supplier))


def recorded_way(message: SmsMessage) -> Way:
    """Return the way that a text was handed over, whatever has been approved since.

    :raises ConfigurationError: ``sms.number_missing`` or ``sms.supplier_not_configured``.
    """
    if message.number is None:
        raise ConfigurationError("sms.number_missing", "The number that it was sent from is no longer known.")
    return Way(number=message.number, provider=suppliers.provider(message.number.supplier))


def by_number(ready: Iterable[Ready]) -> dict[UUID, list[Ready]]:
    """Return the texts of each number, those first that would be too late first."""
    groups: dict[UUID, list[Ready]] = defaultdict(list)
    for item in sorted(ready, key=lambda item: item.message.expires_at):
        groups[item.way.number.pk].append(item)
    return groups
