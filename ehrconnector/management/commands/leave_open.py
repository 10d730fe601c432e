"""Leave what needs somebody, so that the pages of the demonstration that show it are not empty."""

import os
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import requests
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from config_portal.models import Environment, FhirEndpoint, Organization
from ehrconnector.visit_player.twin import Twin
from hl7intake.models import InboundMessage, SenderCertificate
from hl7intake.services.processing import MAX_ATTEMPTS
from hl7intake.services.receiving import receive
from hl7intake.services.senders import sender_of
from sms.services import replies

TOMORROW_MINUTES = 26 * 60
# Patient in the sandbox's Epic, the phone, and what its owner answers to the confirmation.
ANSWERS = (
    ("nguyen", "+16085550163", "¿Puede entrar también mi hija?"),
    ("larsen", "+16085550181", "I think you have the wrong number"),
    ("haddad", "+16085550192", "STOP"),
)
_FAILURE = "hl7.apply_failed.OperationalError"
_MESSAGE = (
    r"MSH|^~\&|EPIC|LAMNA|EHRCONNECTOR|LAMNA|{now}||SIU^S12|{control_id}|T|2.3",
    "SCH|{csn}|{csn}||||||VV30^VIDEO VISIT 30|30|MIN|^^^{start}||||||||||||||1^SCH",
    "PID|1||E40041208^^^LAMNAMRN^MR||LARSEN^TOVE||19710226|F|||||(608)555-0181^PRN^CP",
    "PV1|1|O|LMFM^^^LAMNA|||||||||||||||{csn}",
    "AIS|1|A|VV30^VIDEO VISIT 30|{start}|||30|MIN",
)


class Command(BaseCommand):
    help = (
        "Leaves what needs somebody in the demonstration: an HL7 message that was set aside after five attempts,"
        " and answers of patients, two of which nobody but a person understands. Once is enough."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept where the sandbox is and whose hospital it is."""
        parser.add_argument("--sandbox", default=os.environ.get("SANDBOX_URL", ""), help="address of the sandbox")
        parser.add_argument("--organization", default="lamna", help="short name")

    def handle(self, *_: object, **options: Any) -> None:
        """Leave it, and say what there is."""
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None or not options["sandbox"]:
            raise CommandError("An organization of the demonstration and --sandbox, or SANDBOX_URL, are needed.")
        if replies.not_understood(organization).exists():
            self.stdout.write("It is there already; nothing was added.")
            return
        control_id = _set_aside(organization, now=timezone.now())
        self.stdout.write(f"Message {control_id} is quarantined; replaying it books its visit.")
        try:
            _answer(Twin(options["sandbox"]))
        except (requests.RequestException, LookupError) as error:
            raise CommandError(f"The sandbox did not answer as expected: {error}") from error
        self.stdout.write(f"{replies.waiting(organization).count()} answers wait for a person, one phone said STOP.")


def _set_aside(organization: Organization, *, now: datetime) -> str:
    """Take a message as the listener does, as if the database had failed whenever it was to take effect."""
    endpoint = FhirEndpoint.objects.for_organization(organization).filter(environment=Environment.TEST).first()
    accepted = SenderCertificate.objects.accepted_at(now).of_engines()
    certificate = accepted.filter(endpoint=endpoint).first()
    if endpoint is None or certificate is None:
        raise CommandError("There is no test FHIR endpoint with a sender's certificate.")
    control_id, csn = f"DEMO{now:%d%H%M%S}", f"4899{now:%M%S}"
    local = now.astimezone(ZoneInfo(endpoint.time_zone))
    start = f"{local + timedelta(days=2):%Y%m%d}1000"
    raw = "\r".join(_MESSAGE).format(now=f"{local:%Y%m%d%H%M%S}", control_id=control_id, csn=csn, start=start)
    with transaction.atomic():  # no worker sees it before it is set aside
        answer = receive(raw.encode("ascii"), sender=sender_of(certificate), now=now)
        quarantined = InboundMessage.objects.filter(endpoint=endpoint, control_id=control_id).update(
            state=InboundMessage.State.QUARANTINED,
            error_code=_FAILURE,
            attempts=MAX_ATTEMPTS,
            due_at=None,
            finished_at=now,
        )
    if not quarantined:
        raise CommandError(f"The message was answered {answer.code}.")
    return control_id


def _answer(twin: Twin) -> None:
    """Book a visit for each patient and answer the text about it; return once the connector has every answer."""
    before = twin.last()
    for patient, _, _ in ANSWERS:
        twin.book(
            environment=Environment.TEST,
            starts_in_minutes=TOMORROW_MINUTES,
            minutes=30,
            patient=patient,
            provider="okafor",
            trigger="S12",
        )
    for _, phone, words in ANSWERS:
        twin.wait("acs", "report_sent", after=before, key=phone)
        twin.reply(phone, words)
    for _, phone, _ in ANSWERS:
        twin.wait("acs", "inbound_sent", after=before, key=phone)
