"""Which Microsoft account a clinician has: asked once, by a sign-in, where their meetings belong to them.

Where one service account organizes all meetings nobody is asked: Teams knows its own users.
"""

import base64
import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from core import audit, crypto
from core.errors import LaunchRefused
from core.http import shared_session
from core.queries import Lookup
from launch.models import LaunchAttempt, ProviderAccount
from meetings.providers.teams import sign_in
from meetings.providers.teams.connection import TeamsConnection
from meetings.services.participants import ehr_user_index_in
from meetings.services.suppliers import approved_teams, teams_connection, tenant_of

SIGN_IN_LASTS = timedelta(minutes=10)
_SALT = "launch.account"
_ACCOUNTS = Lookup(ProviderAccount.objects.all, "organization", "ehr_user_index", "tenant_id")


def is_wanted(attempt: LaunchAttempt) -> bool:
    """Return whether the clinician behind ``attempt`` should sign in: their account matters and is not known.

    :raises ConfigurationError: when the endpoint is paused or has no Teams.
    """
    return decide_whose_meeting(attempt) and account_of(attempt) is None


def decide_whose_meeting(attempt: LaunchAttempt) -> bool:
    """Return whether meetings belong to the clinicians who open them, so that it matters who this one is.

    :raises ConfigurationError: when the endpoint is paused or has no Teams.
    """
    return bool(attempt.ehr_user_id) and approved_teams(attempt.endpoint).has_personal_organizers


def account_of(attempt: LaunchAttempt) -> uuid.UUID | None:
    """Return the account that the clinician behind ``attempt`` once signed in with, in the tenant of today.

    :raises ConfigurationError: when the endpoint is paused or has no Teams.
    """
    if not attempt.is_provider or not attempt.ehr_user_id:
        return None
    known = _ACCOUNTS.find(
        attempt.organization_id,
        ehr_user_index_in(attempt.organization_id, attempt.ehr_user_id),
        approved_teams(attempt.endpoint).tenant_id,
    )
    return known.object_id if known else None


def begin(attempt: LaunchAttempt) -> str:
    """Return the address at Microsoft to which the browser must go.

    The state names the attempt, is signed and lasts ten minutes; nonce and verifier follow from it and our key,
    so that nothing need be stored. The code that comes back can be traded once.

    :raises ConfigurationError: when the tenant is not set up.
    """
    state = signing.dumps([str(attempt.pk), secrets.token_urlsafe(16)], salt=_SALT)
    return sign_in.address(_connection(attempt), _sign_in(state))


def finish(attempt: LaunchAttempt, *, state: str, code: str, now: datetime) -> None:
    """Remember the account that signed in for the clinician behind ``attempt``.

    :raises LaunchRefused: ``account.refused``: the sign-in was of another visit or too long ago, was given up, or
        names an account of another tenant.
    :raises ConnectorError: when Entra does not answer, or the tenant is not set up.
    """
    try:
        attempt_id, _ = signing.loads(state, salt=_SALT, max_age=SIGN_IN_LASTS)
    except (signing.BadSignature, ValueError) as error:
        raise LaunchRefused("account.refused", "Signing in took too long.") from error
    if attempt_id != str(attempt.pk) or not code:
        raise LaunchRefused("account.refused", "You did not sign in for this visit.")
    connection = _connection(attempt)
    with shared_session() as session:
        object_id = sign_in.account(connection, session, _sign_in(state), code=code, now=now)
    ProviderAccount.objects.update_or_create(
        organization_id=attempt.organization_id,
        ehr_user_index=ehr_user_index_in(attempt.organization_id, attempt.ehr_user_id),
        defaults={"tenant_id": uuid.UUID(connection.tenant_id), "object_id": object_id, "signed_in_at": now},
    )
    audit.record(
        "account.remembered",
        organization_id=attempt.organization_id,
        actor="provider",
        subject=attempt,
        reference=attempt.reference,
    )


def _sign_in(state: str) -> sign_in.SignIn:
    return sign_in.SignIn(
        redirect_uri=str(settings.PUBLIC_URL) + reverse("launch:account_callback"),
        state=state,
        nonce=_derived("nonce", state),
        verifier=_derived("verifier", state),
    )


def _derived(what: str, state: str) -> str:
    return base64.urlsafe_b64encode(crypto.derive(f"account|{what}|{state}")).decode().rstrip("=")


def _connection(attempt: LaunchAttempt) -> TeamsConnection:
    teams = approved_teams(attempt.endpoint)
    return teams_connection(tenant_of(attempt.organization_id, teams.tenant_id, teams.client_id))
