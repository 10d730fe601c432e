"""The wording of approvals: where an endpoint stands, who has to act, what an approval would change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.urls import reverse

from config_portal import wording
from config_portal.models import ApprovalRequest, ConfigurationVersion, EpicSignIn
from config_portal.services import epic_sign_in
from config_portal.services.approvers import Approver, Standing, binding_of, standing
from config_portal.services.drafts import Draft
from core.moments import ago, written

_CANNOT = {
    Standing.NO_APPROVER: "Nobody is named as approver yet. An administrator names one on the FHIR base URL's page.",
    Standing.NOT_NAMED: "Only {approver} approves this connection.",
    Standing.SIGN_IN_AGAIN: (
        "You were named as approver after you signed in. Sign out and in again, so that Microsoft confirms that you"
        " are {approver}."
    ),
    Standing.RENAMED: (
        "You were named as {approver}, and your Microsoft account has another user name now. An administrator has"
        " to name you anew."
    ),
    Standing.OTHER_ACCOUNT: (
        "The user name {approver} belonged to another Microsoft account when its owner was named. An administrator"
        " has to name the approver anew."
    ),
    Standing.NO_ROLE: "Your account has neither the analyst's nor the administrator's role any more.",
    Standing.OPERATOR: "Operators of the connector never approve.",
    Standing.SELF_FORBIDDEN: (
        "Your organization wants two people: whoever may edit the configuration does not approve it. An"
        " administrator names an Epic analyst as approver."
    ),
}


@dataclass(frozen=True, kw_only=True)
class ApprovalState:
    """Where the approval of one endpoint stands."""

    draft: Draft
    request: ApprovalRequest | None
    now: datetime

    @property
    def is_sent_back(self) -> bool:
        """Whether the last answer was a reason, and nothing was changed since."""
        return (
            self.request is not None
            and self.request.state == ApprovalRequest.State.SENT_BACK
            and self.request.digest == self.draft.digest
        )

    @property
    def is_waiting(self) -> bool:
        """Whether somebody asked for the approval."""
        return self.request is not None and self.request.state == ApprovalRequest.State.OPEN

    @property
    def status(self) -> str:
        """The state in a few words."""
        if self.draft.endpoint.is_paused:
            return "Paused"
        if self.draft.is_approved:
            return "Approved"
        if self.is_sent_back:
            return "Sent back"
        return "Changes not approved" if self.draft.approved else "Not approved yet"

    @property
    def tone(self) -> str:
        """The tone of :attr:`status`."""
        tones = {"Approved": "ok", "Paused": "warn", "Sent back": "bad", "Changes not approved": "warn"}
        return tones.get(self.status, "info")

    @property
    def waits_for(self) -> str:
        """Whom it waits for and since when; '' when nobody was asked."""
        if self.draft.is_approved or not self.is_waiting or self.request is None:
            return ""
        approver = self.draft.endpoint.approver_username
        return f"Waiting for {approver} · {ago(self.request.asked_at, now=self.now)}"

    @property
    def running(self) -> str:
        """What runs."""
        version = self.draft.approved
        return f"Version {version.number}, approved by {version.approved_by}" if version else "Nothing runs yet"

    @property
    def environment_tone(self) -> str:
        """The colour that goes with the environment's written name."""
        return "bad" if self.draft.endpoint.is_production else "warn"

    @property
    def url(self) -> str:
        """The approval page."""
        return reverse("portal:approval", args=[self.draft.endpoint.pk])

    @property
    def records_url(self) -> str:
        """The page of the integration records."""
        return reverse("portal:records", args=[self.draft.endpoint.pk])


@dataclass(frozen=True, kw_only=True)
class ApprovalPage:
    """Everything the approval page says to one person.

    :param seen: the snapshot this browser was shown before, when it was changed meanwhile.
    """

    state: ApprovalState
    approver: Approver
    sign_in: EpicSignIn | None
    versions: Sequence[ConfigurationVersion]
    seen: dict[str, object] | None = None

    @property
    def draft(self) -> Draft:
        """What would be approved."""
        return self.state.draft

    @property
    def endpoint_words(self) -> str:
        """What the button approves, such as ``test Epic``."""
        return f"{self.draft.endpoint.get_environment_display().lower()} Epic"

    @cached_property
    def summary(self) -> list[str]:
        """What an approval would let run, in a few sentences."""
        return wording.summary(self.draft.endpoint, self.draft.content)

    @cached_property
    def content_lines(self) -> list[wording.Line]:
        """All of what would be approved, for the first approval."""
        return wording.lines(self.draft.content)

    @property
    def is_first(self) -> bool:
        """Whether nothing was approved before, so that everything is new."""
        return self.draft.approved is None

    @cached_property
    def changed_meanwhile(self) -> list[wording.Difference]:
        """What was changed since this browser was shown the page; empty when it does not know."""
        return wording.difference(self.seen, self.draft.content) if self.seen else []

    @cached_property
    def standing(self) -> Standing:
        """Whether this person may approve."""
        return standing(self.draft.endpoint, self.approver)

    @property
    def may_approve(self) -> bool:
        """Whether this person may approve, once they signed in to Epic."""
        return self.standing == Standing.MAY_APPROVE

    @property
    def may_answer(self) -> bool:
        """Whether this person may send it back."""
        return self.standing in {Standing.MAY_APPROVE, Standing.SELF_FORBIDDEN}

    @property
    def cannot(self) -> str:
        """Why this person cannot approve; '' when they can."""
        approver = self.draft.endpoint.approver_username
        return _CANNOT.get(self.standing, "").format(approver=approver)

    @property
    def waits_for(self) -> str:
        """Whom the approval waits for: to the approver, it says "you"."""
        words = self.state.waits_for
        return words.replace(self.draft.endpoint.approver_username, "you", 1) if self.may_approve else words

    @property
    def ask_label(self) -> str:
        """Names the act of asking, with the approver's user name up to its domain."""
        return f"Ask {self.draft.endpoint.approver_username.partition('@')[0]} to approve"

    @property
    def needs_new_sign_in(self) -> bool:
        """Whether signing in with Microsoft anew is what is missing."""
        return self.standing == Standing.SIGN_IN_AGAIN

    @property
    def approver_note(self) -> str:
        """Who approves, and whether Microsoft has confirmed the account."""
        endpoint = self.draft.endpoint
        if not endpoint.approver_username:
            return "Nobody is named as approver"
        if binding_of(endpoint) is None:
            return f"{endpoint.approver_username} (has not signed in here yet)"
        return endpoint.approver_username

    @property
    def is_signed_in(self) -> bool:
        """Whether the sign-in to Epic counts for this draft."""
        return self.sign_in is not None and epic_sign_in.is_for_draft(self.sign_in, self.draft.endpoint)

    @property
    def signed_in_until(self) -> datetime | None:
        """Until when the sign-in counts."""
        return self.sign_in.fresh_until() if self.sign_in else None

    @property
    def is_self_approval(self) -> bool:
        """Whether the version will be marked as self-approved."""
        return self.may_approve and self.approver.may_edit


@dataclass(frozen=True, kw_only=True)
class VersionPage:
    """One approved version: what it was, what it changed, what proves it."""

    version: ConfigurationVersion
    before: ConfigurationVersion | None
    is_running: bool

    @property
    def title(self) -> str:
        """Names the version."""
        return f"Version {self.version.number} of {self.version.endpoint.name}"

    @property
    def status(self) -> str:
        """Whether it runs."""
        return "Runs" if self.is_running else "Earlier version"

    @property
    def tone(self) -> str:
        """The tone of :attr:`status`."""
        return "ok" if self.is_running else "neutral"

    @property
    def proof(self) -> list[tuple[str, object]]:
        """Who approved it and how that is proven."""
        version = self.version
        zone = version.endpoint.organization.time_zone
        approved = written(version.approved_at, zone_name=zone)
        rows: list[tuple[str, object]] = [("Approved", f"{approved} by {version.approved_by}")]
        if version.is_self_approved:
            rows.append(("Marked", "Self-approved: the approver may edit the configuration too"))
        if version.approver_object_id:
            rows.append(("Microsoft account", f"{version.approver_object_id} in tenant {version.approver_tenant_id}"))
        if version.entra_confirmed_at:
            rows.append(("Confirmed by Microsoft", written(version.entra_confirmed_at, zone_name=zone)))
        rows.append(("Proven by", f"Sign-in to Epic, {version.epic_issuer}" if version.epic_issuer else "A command"))
        if version.restores_number:
            rows.append(("Content of", f"Version {version.restores_number}"))
        return [*rows, ("SHA-256 of the configuration", version.digest)]

    @cached_property
    def differences(self) -> list[wording.Difference]:
        """What it changed."""
        return wording.difference(self.before.snapshot if self.before else None, self.version.snapshot)

    @cached_property
    def lines(self) -> list[wording.Line]:
        """All of its content."""
        return wording.lines(self.version.snapshot)
