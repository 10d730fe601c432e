"""An Epic that answers discovery and token requests, on a port of its own."""

from tests.epic.peer import Peer

FHIR = "/api/FHIR/R4"


def answer_as_epic(peer: Peer) -> None:
    """Let ``peer`` be Lamna's Epic, with every address right."""
    oauth = f"{peer.url}/oauth2"
    addresses = {
        "issuer": oauth,
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": f"{oauth}/token",
        "jwks_uri": f"{oauth}/jwks",
    }
    peer.answers(f"{FHIR}/.well-known/smart-configuration", addresses)
    peer.answers(
        f"{FHIR}/metadata",
        {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "software": {"name": "Epic", "version": "May 2026"},
            "implementation": {"description": "Lamna Healthcare"},
        },
    )
    peer.answers("/oauth2/.well-known/openid-configuration", addresses)
    peer.answers("/oauth2/token", {"error": "invalid_client"}, status=400)
