"""SMS notifications as a step of the setup and as lines of the pre-flight check."""

from django.urls import reverse

from config_portal import doctor, wizard
from config_portal.doctor import CheckContext, CheckResult, Fixer, Group, SetupCheck
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus
from core.errors import ConfigurationError
from sms.models import NumberOrder, PhoneNumber, SmsConfiguration
from sms.presenters import words
from sms.presenters.overview import summary_of
from sms.services import consents, number_suppliers


def register() -> None:
    """Put the step on the Setup page and the lines into the pre-flight check."""
    wizard.register(SetupStep(name="sms", title="SMS notifications", order=Order.SMS, status=status, is_optional=True))
    doctor.register(
        SetupCheck(name="sms-consent", title="Consent to text messages", order=Group.SMS, run=check_consent)
    )
    doctor.register(
        SetupCheck(name="sms-number", title="Phone number for texts", order=Group.SMS + 1, run=check_number)
    )


def status(context: SetupContext) -> StepStatus:
    """Return where the texts stand: consents first, then a number, then what is texted."""
    url = reverse("sms_setup:overview")
    ours = [endpoint.pk for endpoint in context.endpoints]
    drafts = list(SmsConfiguration.objects.select_related("number").filter(endpoint__in=ours, number__isnull=False))
    order = NumberOrder.objects.open().filter(organization=context.organization).first()
    has_consents = consents.are_given(context.organization.pk)
    if order is not None:
        return _step(StepState.WAITING, "A phone number is being got", "Watch it", url, owner="the supplier")
    if not has_consents and not drafts:
        return _step(StepState.NOT_STARTED, "Confirmations and reminders by text", "Begin", url)
    if not has_consents:
        return _step(StepState.NEEDS_YOU, "Nothing is texted: your organization has to agree", "Agree", url)
    if not drafts:
        return _step(StepState.NEEDS_YOU, "Agreed. Choose a number and what is texted", "Go on", url)
    return _chosen(drafts, url)


def check_consent(context: CheckContext) -> CheckResult:
    """Pass when both consents are in force; there is nothing to check without texts."""
    if _draft(context) is None:
        return doctor.skipped("No texts are set up for this connection.")
    if consents.are_given(context.endpoint.organization_id):
        return doctor.passed("Your organization has agreed to both.")
    return doctor.failed(
        "Your organization has not agreed to text messages, so none is sent.",
        who=Fixer.ADMIN,
        todo="Agree to both sentences.",
        code="sms.no_consent",
        link=reverse("sms_setup:overview"),
        link_label="SMS notifications",
    )


def check_number(context: CheckContext) -> CheckResult:
    """Pass when the account really holds the number and carriers let its texts through."""
    draft = _draft(context)
    if draft is None or draft.number is None:
        return doctor.skipped("No texts are set up for this connection.")
    number, text = draft.number, words.number(draft.number.number)
    link = reverse("sms_setup:number", args=[number.pk])
    try:
        owned = number_suppliers.supplier_of(number.supplier).find(number.number)
    except ConfigurationError as error:
        todo = "Check the supplier's variables in the settings."
        return doctor.failed(error.user_message, who=Fixer.OPERATOR, todo=todo, code=error.code)
    if owned is None:
        return doctor.failed(
            f"{text} does not belong to the account at {number.get_supplier_display()}.",
            who=Fixer.ADMIN,
            todo="Choose another number for this connection.",
            link=reverse("sms_setup:endpoint", args=[context.endpoint.pk]),
            link_label="SMS setup",
        )
    if number.is_blocked_by_carriers:
        state = number.get_verification_display().lower()
        return doctor.failed(
            f"Carriers drop texts from {text}: its {number.carriers_register} is {state}.",
            who=Fixer.ADMIN,
            todo="Ask for it at the supplier, or choose a number that may send.",
            link=link,
            link_label="This number",
        )
    return doctor.passed(f"{text} is yours at {number.get_supplier_display()} and may send.")


def _draft(context: CheckContext) -> SmsConfiguration | None:
    found = SmsConfiguration.objects.select_related("number").filter(endpoint=context.endpoint)
    return found.filter(number__isnull=False).first()


def _chosen(drafts: list[SmsConfiguration], url: str) -> StepStatus:
    numbers: dict[str, PhoneNumber] = {draft.number.number: draft.number for draft in drafts if draft.number}
    named = words.listed(words.number(number) for number in numbers)
    blocked = [number for number in numbers.values() if number.is_blocked_by_carriers]
    if blocked:
        state = blocked[0].get_verification_display().lower()
        detail = f"{named} · carriers drop texts: {blocked[0].carriers_register} is {state}"
        is_in_review = blocked[0].verification == PhoneNumber.Verification.PENDING
        wait = (StepState.WAITING, "the carriers") if is_in_review else (StepState.NEEDS_YOU, "")
        return _step(wait[0], detail, "See what to do", url, owner=wait[1])
    return _step(StepState.DONE, f"{named} · {summary_of(drafts[0])}", "Change", url)


def _step(state: StepState, detail: str, label: str, url: str, *, owner: str = "") -> StepStatus:
    return StepStatus(state=state, detail=detail, owner=owner, action_label=label, action_url=url)
