"""A client of the twin's Epic and Entra as a hospital's analyst would set it up, with its own key set."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from epic.connection import Audience, EpicConnection, SmartEndpoints
from tests.epic.keys import client_key, public_jwk
from tests.epic.peer import Peer

TENANT = "11111111-2222-4333-8444-555555555555"
REDIRECT = "http://localhost:8000/launch/callback"
CONTEXT = "sessionId=%CSN%&conferenceId=%CONFERENCEID%"


@dataclass(frozen=True)
class EpicTwin:
    """The test environment of the twin's Epic, where our three apps are known."""

    url: str
    clients: dict[str, str]

    @property
    def fhir_base_url(self) -> str:
        return f"{self.url}/epic/test/api/FHIR/R4"

    def connection(self, audience: Audience, *, key: str = "rs-contract", algorithm: str = "RS384") -> EpicConnection:
        oauth = f"{self.url}/epic/test/oauth2"
        return EpicConnection(
            fhir_base_url=self.fhir_base_url,
            audience=audience,
            client_id=self.clients[audience],
            key=client_key(key, algorithm),
            smart=SmartEndpoints(
                issuer=oauth,
                authorization_endpoint=f"{oauth}/authorize",
                token_endpoint=f"{oauth}/token",
                jwks_uri=f"{oauth}/jwks",
            ),
        )

    def schedule(self) -> dict[str, Any]:
        """Put a visit into the schedule; its message goes nowhere, since nobody listens for HL7 here."""
        visit = {"environment": "test", "starts_in_minutes": 20, "patient": "rivera", "provider": "okafor"}
        return self._post("/control/visits", visit)

    def launch(self, csn: str, audience: str) -> dict[str, str]:
        """Open the visit from Hyperspace or MyChart, and return the query of the launch address."""
        opened = self._post(f"/control/visits/{csn}/launch", {"audience": audience})
        return {name: values[0] for name, values in parse_qs(urlsplit(opened["url"]).query).items()}

    def ledger(self, **wanted: str) -> list[dict[str, Any]]:
        """Return what the twin's witness wrote down."""
        answer = requests.get(f"{self.url}/ledger.json", params=wanted, timeout=10)
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(f"{self.url}{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        content: dict[str, Any] = answer.json()
        return content


def set_up(url: str, keys: Peer) -> EpicTwin:
    """Type our apps into the twin, under client ids that no other test uses."""
    keys.answers("/jwks", {"keys": [public_jwk("rs-contract", "RS384"), public_jwk("es-contract", "ES384")]})
    clients = {app: f"{app}-{uuid.uuid4()}" for app in ("provider", "patient", "backend")}
    launches = {
        "provider": "http://localhost:8000/launch/provider/x",
        "patient": "http://localhost:8000/launch/patient/x",
    }
    setup = {
        "epic": [
            {
                "environment": "test",
                "clients": [
                    {"client_id": client_id, "app": app, "redirect_uris": [REDIRECT], "jwks_url": f"{keys.url}/jwks"}
                    for app, client_id in clients.items()
                ],
                "records": [
                    {"kind": kind, "launch_url": address, "client_id": clients[kind], "context": CONTEXT}
                    for kind, address in launches.items()
                ],
            }
        ],
    }
    answer = requests.put(f"{url}/control/setup", json=setup, timeout=10)
    assert answer.ok, answer.text
    return EpicTwin(url=url, clients=clients)
