"""Try keys at Epic before they are used: an Epic that takes a signature has fetched the key.

A token is asked for and dropped. What runs goes on with the keys in use.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction

from config_portal import snapshot
from config_portal.models import FhirEndpoint, Organization, SigningKey
from config_portal.services.connections import ApprovedConfiguration
from config_portal.services.discovery import ask_epic, known_smart
from config_portal.services.drafts import draft_connection
from config_portal.services.keys import algorithm_of, client_key, confirm_key
from config_portal.services.rotation import SIGNING
from core import audit
from core.errors import ConfigurationError, ConnectorError
from core.http import build_session
from epic.connection import Audience, ClientKey, EpicConnection
from epic.oauth import request_token

_AT_ONCE = 8
_REFUSED = "epic.invalid_client"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one Epic said to the upcoming keys.

    :param problem: why it could not be asked, in words; '' when it answered.
    """

    endpoint: FhirEndpoint
    accepted: Sequence[str] = field(default_factory=list)
    refused: Sequence[str] = field(default_factory=list)
    problem: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether Epic took a signature of every key."""
        return not (self.refused or self.problem)


def try_upcoming(organization: Organization, *, environment: str, actor: str, now: datetime) -> list[Trial]:
    """Try the published keys at every Epic of one environment; once all accept them, they are switched to.

    Where something runs, what runs is tried; before anything does, the drafts are. Must not be called in a
    transaction.

    :raises ConfigurationError: ``keys.nothing_to_try`` without published keys, or without an Epic.
    """
    keys = _upcoming(organization, environment)
    endpoints = _endpoints(organization, environment)
    if not (keys and endpoints):
        raise ConfigurationError(
            "keys.nothing_to_try", "There are no new keys to try, or no backend app at an Epic to try them with."
        )
    jobs = [_prepared(endpoint) for endpoint in endpoints]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="key-trial") as pool:
        trials = list(pool.map(lambda job: _try(*job, keys=keys, now=now), jobs))
    with transaction.atomic():
        if all(trial.is_accepted for trial in trials):
            for key in keys:
                confirm_key(key.key_id, now=now)
        said = {trial.endpoint.name: {"accepted": trial.accepted, "refused": trial.refused} for trial in trials}
        audit.record(
            "keys.tried", organization_id=organization.pk, actor=actor, subject=organization,
            environment=environment, epics=said,
        )  # fmt: skip
    return trials


def _upcoming(organization: Organization, environment: str) -> list[ClientKey]:
    published = SigningKey.objects.for_organization(organization).filter(
        environment=environment, state=SigningKey.State.PUBLISHED, purpose__in=SIGNING
    )
    return [
        ClientKey(key_id=key.key_id, algorithm=algorithm_of(key.purpose), private_key=key.private_key)
        for key in published.order_by("purpose")
    ]


def _endpoints(organization: Organization, environment: str) -> list[FhirEndpoint]:
    own = snapshot.with_parts(FhirEndpoint.objects.for_organization(organization).filter(environment=environment))
    drafts = list(own.exclude(backend_client_id="").order_by("name"))
    return [endpoint for endpoint in drafts if endpoint.approved_version] or drafts


def _prepared(endpoint: FhirEndpoint) -> tuple[FhirEndpoint, EpicConnection | None, str]:
    """Return the connection to try with, or why there is none; everything that reads the database happens here."""
    try:
        if endpoint.approved_version is None:
            smart = known_smart(endpoint) or ask_epic(endpoint).smart
            return endpoint, draft_connection(endpoint, Audience.BACKEND, smart=smart), ""
        approved = ApprovedConfiguration(endpoint.pk, endpoint.approved_version.snapshot)
        connection = EpicConnection(
            fhir_base_url=approved.base_url,
            audience=Audience.BACKEND,
            client_id=approved.client_id(Audience.BACKEND),
            key=client_key(endpoint, purpose=approved.assertion_purpose),
            smart=approved.smart,
        )
    except ConnectorError as error:
        return endpoint, None, _words(error)
    return endpoint, connection, ""


def _try(
    endpoint: FhirEndpoint,
    connection: EpicConnection | None,
    problem: str,
    *,
    keys: Sequence[ClientKey],
    now: datetime,
) -> Trial:
    if connection is None:
        return Trial(endpoint=endpoint, problem=problem)
    answers: dict[bool, list[str]] = {True: [], False: []}
    try:
        for key in keys:
            answers[_is_accepted(replace(connection, key=key), now=now)].append(key.algorithm)
    except ConnectorError as error:
        return Trial(endpoint=endpoint, accepted=answers[True], refused=answers[False], problem=_words(error))
    return Trial(endpoint=endpoint, accepted=answers[True], refused=answers[False])


def _is_accepted(connection: EpicConnection, *, now: datetime) -> bool:
    with build_session() as session:
        try:
            request_token(session, connection, {"grant_type": "client_credentials"}, now=now)
        except ConfigurationError as error:
            if error.code != _REFUSED:
                raise
            return False
    return True


def _words(error: ConnectorError) -> str:
    return error.user_message or "Epic did not answer as expected."
