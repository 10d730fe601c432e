"""The second half of a launch from Epic: the browser is back; find out who it is and for which visit."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from config_portal.models import FhirEndpoint
from config_portal.services.connections import epic_connection
from core.context import request_id, set_request_id
from core.errors import ConnectorError, LaunchRefused
from core.http import shared_session
from core.queries import Lookup
from epic.connection import Audience, EpicConnection
from epic.context import LaunchContext, read_context
from epic.id_token import Identity, IdentityKind, verify_id_token
from epic.oauth import TokenResponse, exchange_code
from launch.cookies import digest
from launch.models import LaunchAttempt, OAuthState
from launch.services import accounts
from launch.services.starting import redirect_uri
from meetings.models import Participant
from meetings.services.preparing import prepare
from visits.models import Visit
from visits.services.lookup import get_or_create_for_launch
from writeback.services.charts import remember_chart

Role = Participant.Role

_ROLES = {
    (Audience.PROVIDER, IdentityKind.PRACTITIONER): Role.PROVIDER,
    (Audience.PATIENT, IdentityKind.PATIENT): Role.PATIENT,
    (Audience.PATIENT, IdentityKind.RELATED_PERSON): Role.PROXY,
}
_STATES = Lookup(
    lambda: OAuthState.objects.select_related("attempt"), "state_digest", "attempt__endpoint", "attempt__audience"
)
_ATTEMPTS = Lookup(LaunchAttempt.objects.all, "endpoint", "audience", "oauth_state__state_digest")
_OAUTH_ERROR = re.compile(r"[a-z_]{1,40}")  # RFC 6749, section 4.1.2.1; anything else is not Epic's


@dataclass(frozen=True, kw_only=True)
class Return:
    """What the browser brought back from Epic; everything is optional and untrusted."""

    state: str
    code: str
    error: str
    issuer: str
    cookie: str


def finish(endpoint: FhirEndpoint, audience: Audience, returned: Return, *, now: datetime) -> LaunchAttempt:
    """Bring a launch to its visit; a provider's has the meeting made too.

    :raises LaunchRefused: when the return does not belong to this browser, was used, is too old, or names
        somebody who has no place here. Once the state is used up, the attempt is marked.
    :raises ConnectorError: when Epic refuses or does not answer, or something is not set up.
    """
    state = _use_state(endpoint, audience, returned, now=now)
    attempt = state.attempt
    set_request_id(attempt.request_id or request_id())
    try:
        identity, tokens = _ask_epic(state, returned, now=now)
        context = _arrive(attempt, identity, tokens, now=now)
    except ConnectorError as error:
        attempt.conclude(LaunchAttempt.State.REFUSED, now=now, error_code=error.code)
        raise
    attempt.conclude(state_on_arrival(attempt, context), now=now)
    return attempt


def state_on_arrival(attempt: LaunchAttempt, context: LaunchContext) -> LaunchAttempt.State:
    """Return where a launch leads: into the visit, or for a patient to the device test that MyChart offers."""
    only_test = context.is_device_test and not attempt.is_provider
    return LaunchAttempt.State.CHECKING if only_test else LaunchAttempt.State.ARRIVED


def find_attempt(endpoint: FhirEndpoint, audience: Audience, *, state: str) -> LaunchAttempt | None:
    """Return the attempt that ``state`` was made for, whatever became of it; for its reference."""
    return _ATTEMPTS.find(endpoint.pk, audience, digest(state))


def _use_state(endpoint: FhirEndpoint, audience: Audience, returned: Return, *, now: datetime) -> OAuthState:
    """Use the state up, before anything is asked of Epic: only in its own browser, once, within ten minutes."""
    state = _STATES.find(digest(returned.state), endpoint.pk, audience)
    if state is None:
        raise LaunchRefused("launch.state_unknown", "This page does not belong to a launch that was begun here.")
    if not hmac.compare_digest(digest(returned.cookie), state.cookie_digest):
        raise LaunchRefused("launch.other_browser", "This launch was begun in another browser or window.")
    if state.used_at is None and state.expires_at <= now:
        raise LaunchRefused("launch.state_expired", "Signing in took longer than ten minutes.")
    # Of several that come with it at the same time, the database lets one change the row.
    if not OAuthState.objects.filter(pk=state.pk, used_at=None).update(used_at=now):
        raise LaunchRefused("launch.state_used", "This launch was already used.")
    state.attempt.endpoint = endpoint  # whose organization and approved version are read already
    return state


def _ask_epic(state: OAuthState, returned: Return, *, now: datetime) -> tuple[Identity, TokenResponse]:
    """Trade the code for who and what it is about; nothing keeps the tokens."""
    endpoint, audience = state.attempt.endpoint, Audience(state.attempt.audience)
    connection = epic_connection(endpoint, audience)
    _check_return(returned, connection)
    with shared_session() as session:
        tokens = exchange_code(
            session,
            connection,
            code=returned.code,
            redirect_uri=redirect_uri(endpoint, audience),
            code_verifier=state.code_verifier,
            now=now,
        )
        identity = verify_id_token(session, connection, tokens.id_token, nonce=state.nonce, now=now)
    return identity, tokens


def _check_return(returned: Return, connection: EpicConnection) -> None:
    """Refuse an answer of another server (RFC 9207, where the server names itself) and one without a code."""
    if returned.issuer and returned.issuer.rstrip("/") != connection.smart.issuer.rstrip("/"):
        raise LaunchRefused("launch.issuer_mixed_up", "The answer came from another Epic than the one that was asked.")
    if returned.error or not returned.code:
        reason = returned.error if _OAUTH_ERROR.fullmatch(returned.error) else ""
        raise LaunchRefused("launch.epic_declined", "Epic did not let the visit be opened.", detail=reason)


def open_visit(attempt: LaunchAttempt, context: LaunchContext, *, role: Role, ehr_user_id: str, now: datetime) -> Visit:
    """Note which visit a launch is for and as whom the person comes; a provider's has the meeting made too.

    The caller stores it when it concludes the attempt.

    :raises LaunchRefused: ``launch.visit_ended`` or ``join.cancelled`` when the visit does not take place.
    :raises ConfigurationError: when the endpoint is paused or has no Teams.
    """
    visit = get_or_create_for_launch(
        attempt.endpoint,
        session_id=context.session_id,
        conference_id=context.conference_id or None,
        csn=context.csn if context.is_group else "",
    )
    attempt.visit, attempt.role, attempt.ehr_user_id = visit, role, ehr_user_id
    if not visit.is_scheduled:
        raise LaunchRefused("launch.visit_ended" if attempt.is_provider else "join.cancelled")
    if attempt.is_provider:
        _prepare_meeting(attempt, visit, now=now)
    return visit


def _arrive(attempt: LaunchAttempt, identity: Identity, tokens: TokenResponse, *, now: datetime) -> LaunchContext:
    context = read_context(tokens.context)
    role = _ROLES.get((Audience(attempt.audience), identity.kind))
    if role is None:
        raise LaunchRefused("launch.wrong_role", "Epic says who you are, and this way in is for somebody else.")
    visit = open_visit(attempt, context, role=role, ehr_user_id=context.user_id or identity.id, now=now)
    remember_chart(visit, patient_id=tokens.patient, encounter_id=tokens.context.get("encounter", ""))
    return context


def _prepare_meeting(attempt: LaunchAttempt, visit: Visit, *, now: datetime) -> None:
    """Have the meeting made while the provider looks at the status page, which comes without waiting for Teams."""
    account = None
    if accounts.decide_whose_meeting(attempt):
        account = accounts.account_of(attempt)
        if account is None:
            return  # whose meeting it becomes is known once they have signed in, on the way to Teams
    prepare(visit, now=now, opened_by=account)
