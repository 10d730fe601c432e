"""Where the parts of an Epic environment are."""

from django.conf import settings


def interconnect(environment: str) -> str:
    """Return the address below which everything of an environment is."""
    return f"{settings.SANDBOX_URL}/epic/{environment}"


def fhir(environment: str) -> str:
    """Return the FHIR base URL, which is also the ``iss`` of a launch."""
    return f"{interconnect(environment)}/api/FHIR/R4"


def oauth(environment: str) -> str:
    """Return the address of the authorization server, which is also the issuer of id_tokens."""
    return f"{interconnect(environment)}/oauth2"
