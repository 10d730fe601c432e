"""Epic's id_token: who opened the visit.

Source: Epic OAuth 2.0 specification, "id_token": ``fhirUser`` and ``preferred_username`` only for the scopes
that ask for them, life of five minutes, and the issuer with ``/token`` behind it before May 2020.
"""

import time
from typing import Any

from sandbox import faults, keys, people
from sandbox.epic import addresses

_SECONDS = 300


def id_token(kept: dict[str, Any], *, subject: str, environment: str) -> str:
    """Return the token for the person whose FHIR reference is ``subject``.

    :param kept: what the authorization request asked for: client, nonce and scopes.
    """
    scopes, now = kept["scope"].split(), int(time.time())
    claims = {
        "iss": addresses.oauth(environment), "aud": kept["client_id"], "sub": subject.partition("/")[2],
        "nonce": kept["nonce"], "iat": now, "exp": now + _SECONDS,
    }  # fmt: skip
    if "fhirUser" in scopes:
        claims |= {"fhirUser": f"{addresses.fhir(environment)}/{subject}"}
    if "profile" in scopes and (username := _username(subject)):
        claims |= {"preferred_username": username}
    claims |= _fault(now, environment=environment)
    return keys.sign({name: value for name, value in claims.items() if value}, name=keys.EPIC)


def _username(subject: str) -> str:
    providers = people.PROVIDERS.values()
    return next((one.user for one in providers if f"Practitioner/{one.fhir_id}" == subject), "")


def _fault(now: int, *, environment: str) -> dict[str, Any]:
    """Return the claims that a fault replaces."""
    wrong: dict[str, dict[str, Any]] = {
        "old_issuer": {"iss": f"{addresses.oauth(environment)}/token"},
        "no_fhir_user": {"fhirUser": ""},
        "wrong_nonce": {"nonce": "another"},
        "expired": {"iat": now - 2 * _SECONDS, "exp": now - _SECONDS},
    }
    return wrong.get(faults.get("epic.id_token") or "", {})
