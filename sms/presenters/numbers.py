"""A number, and a number that is being got, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from config_portal.models import FhirEndpoint
from sms.models import NumberOrder, PhoneNumber, Supplier
from sms.presenters import words

LONG = timedelta(minutes=2)
State, Verification = NumberOrder.State, PhoneNumber.Verification

_VERIFICATION_TONES = {
    Verification.NOT_NEEDED: "neutral",
    Verification.NOT_SUBMITTED: "warn",
    Verification.PENDING: "info",
    Verification.APPROVED: "ok",
    Verification.REJECTED: "bad",
}
_VERIFICATION_WORDS = {
    Verification.NOT_NEEDED: "Carriers let texts from this number through without asking.",
    Verification.NOT_SUBMITTED: "Nobody has asked carriers to let this number send. Until they approve it, they drop"
    " its texts. Ask today: an answer takes days to weeks.",
    Verification.PENDING: "Carriers are looking at it. Until they approve it, they drop texts from this number.",
    Verification.APPROVED: "Carriers let texts from this number through.",
    Verification.REJECTED: "Carriers refused and drop texts from this number. Mend what they name and ask again.",
}
_STEPS = (
    (State.SEARCHING, "Search", "Looking for a number"),
    (State.RESERVING, "Reserve", "Keeping it for you"),
    (State.BUYING, "Buy", "Buying it"),
    (State.READY, "Ready", "Yours to text from"),
)
_ORDER = [state for state, _, _ in _STEPS]
_WHO = {
    "sms.number_out_of_stock": "Choose another area code or kind, or try again later.",
    "sms.number_no_credit": "Whoever pays for the supplier's account tops it up. Then try again.",
    "sms.number_refused": "The operator of the EHR connector checks whether the account may buy numbers.",
    "acs.not_authorized": "The operator of the EHR connector checks the access key.",
    "twilio.not_authorized": "The operator of the EHR connector checks the account and its token.",
    "sms.supplier_not_configured": "The operator of the EHR connector sets the supplier up.",
}


@dataclass(frozen=True)
class NumberRow:
    """A number of the organization."""

    number: PhoneNumber
    uses: Sequence[FhirEndpoint] = ()

    @property
    def text(self) -> str:
        """The number as people write it."""
        return words.number(self.number.number)

    @property
    def supplier(self) -> str:
        """Whose number it is."""
        return self.number.get_supplier_display()

    @property
    def kind(self) -> str:
        """What sort of number it is, and where."""
        return f"{self.number.get_kind_display()}, {self.number.country}"

    @property
    def url(self) -> str:
        """Where its page is."""
        return reverse("sms_setup:number", args=[self.number.pk])

    @property
    def used_by(self) -> str:
        """Which Epic connections text from it."""
        return words.listed(endpoint.name for endpoint in self.uses) or "No connection yet"

    @property
    def facts(self) -> list[object]:
        """What is known about it."""
        facts: list[object] = [
            {"label": "Number", "value": self.number.number, "copy": True},
            ("Supplier", self.supplier),
            ("Kind", self.kind),
            ("Used by", self.used_by),
        ]
        if self.number.supplier == Supplier.TWILIO:
            facts.append({"label": "Where Twilio delivers replies", "value": reply_address(), "copy": True})
        return facts

    @property
    def is_leaving(self) -> bool:
        """Whether it is being given back."""
        return self.number.release_requested_at is not None

    @property
    def status(self) -> str:
        """Whether texts from it arrive, in a few words."""
        if self.is_leaving:
            return "Being given back"
        if self.number.is_blocked_by_carriers:
            return f"{self.register}: {self.number.get_verification_display().lower()}"
        return "Ready to send"

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        if self.is_leaving:
            return "neutral"
        return self.verification_tone if self.number.is_registered_with_carriers else "ok"

    @property
    def register(self) -> str:
        """What carriers want of it, as a title."""
        return "10DLC registration" if self.number.is_10dlc else "Toll-free verification"

    @property
    def register_help(self) -> str:
        """What that is."""
        if self.number.is_10dlc:
            return "Carriers in the United States let a local number text only for a registered brand and campaign."
        return "Carriers let a toll-free number text only once they know which business texts, and what about."

    @property
    def verification(self) -> str:
        """How verification stands, in a word."""
        return self.number.get_verification_display()

    @property
    def verification_tone(self) -> str:
        """The tone of :attr:`verification`."""
        return _VERIFICATION_TONES[Verification(self.number.verification)]

    @property
    def verification_text(self) -> str:
        """What that means and what to do."""
        return _VERIFICATION_WORDS[Verification(self.number.verification)]

    @property
    def verification_source(self) -> str:
        """Who says so."""
        by = self.number.verification_by
        return self.supplier if by == "supplier" else by


@dataclass(frozen=True)
class OrderStep:
    """One of the steps on the way to a number."""

    title: str
    text: str
    mark: str  # done, current or todo


@dataclass(frozen=True)
class OrderView:
    """A number that is being got, as it stands now."""

    order: NumberOrder
    now: datetime

    @property
    def url(self) -> str:
        """Where the living part is asked for; ``seen`` tells what the browser shows already."""
        return f"{reverse('sms_setup:order', args=[self.order.pk])}?seen={self.seen}"

    @property
    def seen(self) -> str:
        """Changes whenever the page has to change."""
        parts = (self.order.state, self.order.number[1:], self.is_long, self.is_stopping)
        return "-".join(str(part) for part in parts)

    @property
    def is_long(self) -> bool:
        """Whether it takes longer than usual."""
        return self.order.is_open and self.order.age(self.now) >= LONG

    @property
    def is_stopping(self) -> bool:
        """Whether somebody asked to stop it."""
        return self.order.is_open and self.order.cancel_requested_at is not None

    @property
    def title(self) -> str:
        """What is going on."""
        if self.is_stopping:
            return "Stopping"
        return {
            State.READY: f"{words.number(self.order.number)} is yours",
            State.FAILED: "There is no new number",
            State.CANCELLED: "Stopped. No number was kept",
        }.get(State(self.order.state), "Getting a new phone number")

    @property
    def tone(self) -> str:
        """The tone of the notice."""
        tones = {State.READY: "ok", State.FAILED: "bad", State.CANCELLED: "neutral"}
        return tones.get(State(self.order.state), "warn" if self.is_long else "info")

    @property
    def text(self) -> str:
        """What that means for the person."""
        if self.order.state == State.FAILED:
            return self._failure
        if self.order.state == State.READY:
            return "Choose it in the SMS setup of your Epic connections below."
        if self.is_stopping:
            return "A number that is being bought is given back as soon as it arrives."
        if self.is_long:
            return "This takes longer than usual. It goes on by itself, also when you close this page."
        if self.order.is_open:
            return "This takes up to two minutes and goes on by itself, also when you close this page."
        return ""

    @property
    def announcement(self) -> str:
        """What a screen reader says when it changes."""
        step = next((text for state, _, text in _STEPS if state == self.order.state), "")
        return f"{self.title}. {self.text or ''}" if self.is_long or not self.order.is_open else step

    @property
    def steps(self) -> list[OrderStep]:
        """The steps, with where it stands."""
        if self.order.state not in _ORDER:
            return []
        at = _ORDER.index(State(self.order.state))
        marks = ["done" if place < at else "current" if place == at else "todo" for place in range(len(_STEPS))]
        if self.order.state == State.READY:
            marks[-1] = "done"
        return [OrderStep(title, text, mark) for (_, title, text), mark in zip(_STEPS, marks, strict=True)]

    @property
    def facts(self) -> str:
        """What is known of it so far."""
        kind = PhoneNumber.Kind(self.order.kind).label.lower()
        parts = [words.number(self.order.number) if self.order.number else "", kind, self.order.price]
        return " · ".join(part for part in parts if part)

    @property
    def _failure(self) -> str:
        code = self.order.error_code
        maybe = " A number that arrives late is looked for first." if self.order.number else ""
        return f"{words.reason(code)}. {_WHO.get(code, 'Try again.')}{maybe}"


def where_to_ask(number: PhoneNumber) -> tuple[str, str]:
    """Return where carriers' approval is asked for at the number's supplier: name and address."""
    if number.supplier == Supplier.TWILIO and number.is_10dlc:
        return "Twilio Console: Messaging, Regulatory Compliance, Campaigns (A2P 10DLC)", "https://console.twilio.com/"
    if number.supplier == Supplier.TWILIO:
        return "Twilio Console: Phone Numbers, Regulatory Compliance", "https://console.twilio.com/"
    return "Azure portal: your Communication Services resource, Regulatory Documents", "https://portal.azure.com/"


def reply_address() -> str:
    """Return where Twilio has to deliver replies."""
    return f"{settings.PUBLIC_URL}{reverse('sms:twilio_incoming')}"
