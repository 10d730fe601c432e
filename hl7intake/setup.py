"""What the intake adds to the Setup page and to the pre-flight check."""

from django.urls import reverse

from config_portal import doctor, wizard
from config_portal.doctor import CheckContext, CheckResult, Fixer, Group, SetupCheck, failed, passed, skipped
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus
from core.moments import written
from hl7intake.presenters.certificates import ago_words, common_name, time_left
from hl7intake.services.certificates import WARNING_DAYS
from hl7intake.services.health import SenderHealth, health_of

_SOON = WARNING_DAYS[1]
_MOST = 2  # worries that the Setup page names


def register() -> None:
    """Put the step and the lines where they belong."""
    wizard.register(
        SetupStep(
            name="sender_certificate",
            title="Sender certificates",
            order=Order.SENDER_CERTIFICATE,
            status=status,
            is_optional=True,
        )
    )
    doctor.register(
        SetupCheck(
            name="sender_certificate",
            title="Certificate of the interface engine",
            order=Group.SENDER,
            run=_certificate,
        )
    )
    doctor.register(
        SetupCheck(
            name="sender_messages", title="Messages from the interface engine", order=Group.SENDER + 10, run=_messages
        )
    )


def status(context: SetupContext) -> StepStatus:
    """Return done once every endpoint has a certificate that lasts, and its sender is heard of."""
    healths = health_of(context.endpoints, now=context.now)
    with_certificate = [health for health in healths if health.certificates]
    if not healths:
        return StepStatus(state=StepState.BLOCKED, detail="A certificate belongs to a FHIR base URL")
    if not with_certificate:
        detail = "Lets your interface engine send appointments, so that patients get texts"
        return _step(StepState.NOT_STARTED, detail, label="Upload a certificate")
    worries = [worry for health in healths if (worry := _worry(health, context))]
    if worries:
        more = [f"and {len(worries) - _MOST} more"] if len(worries) > _MOST else []
        return _step(StepState.NEEDS_YOU, " · ".join([*worries[:_MOST], *more]), owner="Microsoft 365 admin")
    return _step(StepState.DONE, _summary(healths, context))


def _step(state: StepState, detail: str, *, label: str = "View", owner: str = "") -> StepStatus:
    url = reverse("hl7:certificates")
    return StepStatus(state=state, detail=detail, owner=owner, action_label=label, action_url=url)


def _worry(health: SenderHealth, context: SetupContext) -> str:
    """Return what is wrong with one sender in a few words, or ''."""
    name = health.endpoint.name
    if not health.certificates:
        return f"{name} has no certificate"
    last = health.certificates[0]
    if (last.not_after - context.now).days <= _SOON:
        words = time_left(last.not_after, now=context.now, zone=context.organization.time_zone)
        return f"The certificate of {name} {words[0].lower()}{words[1:]}"
    if health.is_silent(now=context.now) and health.last_at:
        return f"{name}: last message {ago_words(health.last_at, now=context.now)}"
    return ""


def _summary(healths: list[SenderHealth], context: SetupContext) -> str:
    count = sum(len(health.certificates) for health in healths)
    heard = max((health.last_at for health in healths if health.last_at), default=None)
    words = f"last message {ago_words(heard, now=context.now)}" if heard else "no message yet"
    return f"{count} certificate{'' if count == 1 else 's'} · {words}"


def _certificate(context: CheckContext) -> CheckResult:
    health = _health(context)
    link = {"link": reverse("hl7:certificates"), "link_label": "Sender certificates"}
    if not health.certificates:
        return skipped("No certificate is registered, so no appointments can arrive. Needed only for texts.")
    last = health.certificates[0]
    zone = context.endpoint.organization.time_zone
    name, words = common_name(last.pem) or last.subject, time_left(last.not_after, now=context.now, zone=zone)
    if (last.not_after - context.now).days <= _SOON:
        end = written(last.not_after, style="date", zone_name=zone)
        todo = f"Have a new one issued and upload it beside this one before {end}."
        return failed(f"{name}: {words}.", who=Fixer.ADMIN, todo=todo, **link)
    return passed(f"{name}: {words}.")


def _messages(context: CheckContext) -> CheckResult:
    health = _health(context)
    if health.last_at is None:
        return skipped("No message has arrived yet. Send a test message from the page Senders.")
    words = f"The last message came {ago_words(health.last_at, now=context.now)}"
    if health.is_silent(now=context.now):
        todo = "Look whether your interface engine is connected, and whether it was refused."
        link = {"link": reverse("hl7:senders"), "link_label": "Senders"}
        return failed(f"{words}; longer silence than expected.", who=Fixer.ANALYST, todo=todo, **link)
    if health.refused_last_day:
        share = f"{health.error_share:.1%}"
        return passed(f"{words}. {share} of the last 24 hours were refused: see HL7 messages.")
    return passed(f"{words}.")


def _health(context: CheckContext) -> SenderHealth:
    return health_of([context.endpoint], now=context.now)[0]
