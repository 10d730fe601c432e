"""An approver proves to Epic who they are: SMART standalone launch with PKCE, of which only the outcome is kept.

Source: SMART App Launch 2.2, "Standalone launch"; Epic OAuth 2.0 specification. The tokens live in
:func:`finish` alone.
"""

import hashlib
import hmac
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from config_portal.models import EpicSignIn, FhirEndpoint
from config_portal.services.discovery import ask_epic, known_smart, remember
from config_portal.services.drafts import draft_connection
from core import audit
from core.errors import ConfigurationError, LaunchRefused
from core.http import build_session
from epic.connection import Audience, SmartEndpoints
from epic.id_token import Identity, IdentityKind, verify_id_token
from epic.oauth import exchange_code, standalone_request

# Clinicians' app: Epic knows staff there, and its standalone launch names a Practitioner.
_APP = Audience.PROVIDER


@dataclass(frozen=True, kw_only=True)
class EpicReturn:
    """What the browser brought back from Epic; everything is optional and untrusted."""

    state: str
    code: str
    error: str
    issuer: str


def begin(endpoint: FhirEndpoint, user: User, *, session_key: str, now: datetime) -> str:
    """Ask Epic anew where its sign-in is, remember the sign-in, and return the address to send the browser to.

    :param session_key: of the browser's session, to which the sign-in is bound.
    :raises ConnectorError: when Epic does not say where its sign-in is, or a client id or key is missing.
    """
    found = ask_epic(endpoint)
    remember(endpoint, found, now=now)
    connection = draft_connection(endpoint, _APP, smart=found.smart)
    request = standalone_request(connection, redirect_uri=redirect_uri(endpoint))
    EpicSignIn.objects.create(
        endpoint=endpoint,
        user=user,
        session_digest=_digest(session_key),
        state_digest=_digest(request.state),
        code_verifier=request.code_verifier,
        nonce=request.nonce,
        base_url=endpoint.base_url,
        smart=asdict(found.smart),
        client_id=connection.client_id,
        begun_at=now,
    )
    return request.address


def redirect_uri(endpoint: FhirEndpoint) -> str:
    """Return the address that has to be registered at Epic with the provider app, for approvals."""
    return str(settings.PUBLIC_URL) + reverse("portal:approval_callback", args=[endpoint.launch_id])


def finish(endpoint: FhirEndpoint, user: User, returned: EpicReturn, *, session_key: str, now: datetime) -> EpicSignIn:
    """Take the browser back, verify whom Epic names, and keep issuer, subject and time.

    :raises ConfigurationError: ``approval.sign_in_unknown`` when the return does not belong to this person
        and browser, was used or is too old; ``approval.epic_declined``; ``approval.settings_changed`` when the
        base URL or client id was changed meanwhile; ``approval.not_staff`` when Epic names a patient.
    :raises ConnectorError: when Epic refuses or does not answer, or its id_token does not hold.
    """
    sign_in = _use_state(endpoint, user, returned, session_key=session_key, now=now)
    identity = _identity(endpoint, sign_in, returned, now=now)
    sign_in.issuer, sign_in.subject, sign_in.signed_in_at = identity.issuer, identity.subject, now
    with transaction.atomic():
        sign_in.save(update_fields=["issuer", "subject", "signed_in_at"])
        audit.record(
            "approval.epic_sign_in",
            organization_id=endpoint.organization_id,
            actor=user.username,
            subject=endpoint,
            issuer=identity.issuer,
        )
    return sign_in


def current(endpoint: FhirEndpoint, user: User, *, session_key: str, now: datetime) -> EpicSignIn | None:
    """Return this person's sign-in to this Epic in this browser that still counts, or None."""
    succeeded = EpicSignIn.objects.filter(
        endpoint=endpoint,
        user=user,
        session_digest=_digest(session_key),
        used_for=None,
        signed_in_at__gt=now - EpicSignIn.FRESH,
    )
    return succeeded.order_by("-signed_in_at").first()


def is_for_draft(sign_in: EpicSignIn, endpoint: FhirEndpoint) -> bool:
    """Return whether the sign-in was to the very Epic that the draft names now."""
    smart = known_smart(endpoint)
    return smart is not None and sign_in.base_url == endpoint.base_url and sign_in.smart["issuer"] == smart.issuer


def _use_state(
    endpoint: FhirEndpoint, user: User, returned: EpicReturn, *, session_key: str, now: datetime
) -> EpicSignIn:
    """Use the state up before anything is asked of Epic: once, by who began it, in the same browser."""
    with transaction.atomic():
        begun = EpicSignIn.objects.select_for_update().filter(
            state_digest=_digest(returned.state), endpoint=endpoint, user=user
        )
        sign_in = begun.first()
        is_known = sign_in is not None and hmac.compare_digest(sign_in.session_digest, _digest(session_key))
        if sign_in is None or not is_known or sign_in.returned_at or sign_in.begun_at + EpicSignIn.LASTS <= now:
            raise ConfigurationError(
                "approval.sign_in_unknown", "This sign-in to Epic was used, is too old, or was begun elsewhere."
            )
        sign_in.returned_at = now
        sign_in.save(update_fields=["returned_at"])
    return sign_in


def _identity(endpoint: FhirEndpoint, sign_in: EpicSignIn, returned: EpicReturn, *, now: datetime) -> Identity:
    """Trade the code and return whom Epic names; the tokens are gone when this returns."""
    smart = SmartEndpoints(**sign_in.smart)
    if returned.issuer and returned.issuer.rstrip("/") != smart.issuer.rstrip("/"):
        raise ConfigurationError("approval.other_epic", "The answer came from another Epic than the one asked.")
    if returned.error or not returned.code:
        raise ConfigurationError("approval.epic_declined", "Epic did not sign you in.")
    connection = draft_connection(endpoint, _APP, smart=smart)
    if (sign_in.base_url, sign_in.client_id) != (connection.fhir_base_url, connection.client_id):
        raise ConfigurationError(
            "approval.settings_changed", "The FHIR base URL or the client id was changed while you signed in."
        )
    with build_session() as session:
        tokens = exchange_code(
            session,
            connection,
            code=returned.code,
            redirect_uri=redirect_uri(endpoint),
            code_verifier=sign_in.code_verifier,
            now=now,
        )
        try:
            identity = verify_id_token(session, connection, tokens.id_token, nonce=sign_in.nonce, now=now)
        except LaunchRefused as error:
            raise ConfigurationError(
                "approval.epic_answer", "Epic's answer about who you are could not be verified.", detail=error.code
            ) from error
    if identity.kind != IdentityKind.PRACTITIONER:
        raise ConfigurationError("approval.not_staff", "Epic names a patient. Sign in with your own Epic user.")
    return identity


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
