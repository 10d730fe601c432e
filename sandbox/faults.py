"""Faults to switch on: what goes wrong in real life, on demand."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sandbox.models import Fault


@dataclass(frozen=True)
class Choice:
    """A fault that can be switched on, and in which ways."""

    name: str
    explanation: str
    values: tuple[str, ...]


CHOICES = (
    Choice("entra.token", "Entra refuses the app's secret, or fails", ("invalid_client", "error")),
    Choice(
        "entra.account",
        "Entra has removed or renamed every account since, or taken its app role",
        ("removed", "renamed", "no_role"),
    ),
    Choice("entra.consent", "An admin has not consented to a permission of the application", ("no_call_records",)),
    Choice("epic.client", "Epic does not know its clients yet", ("not_yet_active",)),
    Choice(
        "epic.discovery",
        "Epic has no SMART configuration, or other addresses for who does not name the client",
        ("no_smart_configuration", "per_client"),
    ),
    Choice("epic.token", "Epic's token endpoint refuses, or fails", ("invalid_client", "error")),
    Choice(
        "epic.id_token",
        "Epic's id_token has the older issuer, or one that must not be taken",
        ("old_issuer", "no_fhir_user", "wrong_nonce", "expired"),
    ),
    Choice(
        "epic.connection_status",
        "Telling Epic a status fails, is answered late, or the tokens issued so far are refused",
        ("error", "busy", "unauthorized", "late"),
    ),
    Choice(
        "epic.chart",
        "Nothing can be written to a chart: Epic fails, is busy, asks to break the glass, or has not mapped the code;"
        " or it writes the entry and answers late",
        ("error", "busy", "break_the_glass", "not_mapped", "late"),
    ),
    Choice(
        "epic.record",
        "The FDI record lacks the conference id, or has a wrong token",
        ("no_conference", "unknown_token"),
    ),
    Choice("hl7.ack", "Epic misses the answer and sends again", ("lost",)),
    Choice("graph.http", "Graph throttles, fails, or misses the access policy", ("throttle", "error", "access_policy")),
    Choice(
        "graph.notifications",
        "Meeting events and news of call records come twice, in another order, forged, or not at all",
        ("duplicate", "reorder", "drop", "wrong_client_state"),
    ),
    Choice("graph.payload", "Meeting events have an older form", ("joined-exited", "delta-remove")),
    Choice("acs.http", "Azure Communication Services throttles or fails", ("throttle", "error")),
    Choice("acs.send", "It takes a text and does not answer, or answers late", ("hang", "late")),
    Choice("acs.reports", "Delivery reports come twice, late, or not at all", ("duplicate", "late", "drop")),
    Choice(
        "acs.numbers",
        "No numbers, slow numbers, or numbers that cannot be provided",
        ("out_of_stock", "slow", "provisioning_failed"),
    ),
    Choice("twilio.http", "Twilio throttles or fails", ("throttle", "error")),
    Choice("twilio.send", "It takes a text and does not answer, or answers late", ("hang", "late")),
    Choice(
        "twilio.reports",
        "Status callbacks come twice, in another order, late, or not at all",
        ("duplicate", "reorder", "late", "drop"),
    ),
    Choice("twilio.numbers", "No numbers to buy", ("out_of_stock",)),
)


_VALUES = {choice.name: choice.values for choice in CHOICES}


class UnknownFault(ValueError):
    """A name or a value that is not on the list."""


def get(name: str) -> str | None:
    """Return the way in which a fault is switched on, or None."""
    return Fault.objects.filter(name=name).values_list("value", flat=True).first()


def since(name: str, value: str) -> datetime | None:
    """Return when a fault was switched on in this way, or None when it is not."""
    return Fault.objects.filter(name=name, value=value).values_list("since", flat=True).first()


def current() -> dict[str, str]:
    """Return every fault that is switched on."""
    return dict(Fault.objects.values_list("name", "value"))


@transaction.atomic
def replace(values: dict[str, str]) -> None:
    """Switch on just these faults; an empty value switches one off, and what is on already stays as it is.

    :raises UnknownFault: when a name or a value is not on the list; nothing changes then.
    """
    wanted = {name: value for name, value in values.items() if value}
    for name, value in wanted.items():
        if value not in _VALUES.get(name, ()):
            raise UnknownFault(f"{name}={value} is not among the faults of /faults/")
    Fault.objects.exclude(name__in=wanted).delete()
    for name, value in wanted.items():
        if get(name) != value:
            Fault.objects.update_or_create(name=name, defaults={"value": value, "since": timezone.now()})
