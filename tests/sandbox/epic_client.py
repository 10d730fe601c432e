"""A client of the twin's Epic that can do everything wrong: raw requests, assertions made by hand."""

import base64
import hashlib
import time
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests

from tests.contract.epic_twin import REDIRECT, EpicTwin
from tests.epic.keys import private_key

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERIFIER = "a-code-verifier-of-more-than-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class EpicClient:
    """Speaks to the test environment."""

    def __init__(self, twin: EpicTwin) -> None:
        self.twin = twin
        self.oauth = f"{twin.url}/epic/test/oauth2"

    def request(self, **changes: Any) -> dict[str, str]:
        """Return a good authorization request of the provider app; None in ``changes`` leaves a field out."""
        fields = {
            "response_type": "code",
            "client_id": self.twin.clients["provider"],
            "redirect_uri": REDIRECT,
            "scope": "launch openid fhirUser profile",
            "state": "a state",
            "nonce": "a nonce",
            "aud": self.twin.fhir_base_url,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def launch(self, audience: str = "provider") -> tuple[dict[str, Any], str]:
        """Book a visit and open it; return the visit and its launch token."""
        visit = self.twin.schedule()
        return visit, self.twin.launch(visit["csn"], audience)["launch"]

    def authorize(self, *, method: str = "POST", **changes: Any) -> requests.Response:
        """Send an authorization request as a browser would, and do not follow where it leads."""
        fields = {"data" if method == "POST" else "params": self.request(**changes)}
        return requests.request(method, f"{self.oauth}/authorize", allow_redirects=False, timeout=10, **fields)

    def code(self, audience: str = "provider", **changes: Any) -> tuple[dict[str, Any], str]:
        """Launch a visit as ``audience`` and return it with the code that came back."""
        app = "provider" if audience == "provider" else "patient"
        visit, launch = self.launch(audience)
        answer = self.authorize(launch=launch, client_id=self.twin.clients[app], **changes)
        return visit, returned(answer)["code"]

    def redeem(self, code: str, *, app: str = "provider", **changes: Any) -> requests.Response:
        """Trade a code."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER,
            **self.proof(app), **changes,
        }  # fmt: skip
        return self.token(form)

    def token(self, form: dict[str, Any]) -> requests.Response:
        """Call the token endpoint."""
        return requests.post(f"{self.oauth}/token", data=form, timeout=10)

    def backend_token(self) -> str:
        """Return an access token of the backend app."""
        token: str = self.token({"grant_type": "client_credentials", **self.proof("backend")}).json()["access_token"]
        return token

    def proof(
        self, app: str, *, key: str = "rs-contract", algorithm: str = "RS384", kid: str = "", **claims: Any
    ) -> dict[str, str]:
        """Return the fields that authenticate an app; ``claims`` replace good ones, None leaves one out."""
        client_id, now = self.twin.clients[app], int(time.time())
        good = {
            "iss": client_id, "sub": client_id, "aud": f"{self.oauth}/token", "jti": str(uuid.uuid4()), "iat": now,
            "exp": now + 240, **claims,
        }  # fmt: skip
        body = {name: value for name, value in good.items() if value is not None}
        assertion = jwt.encode(body, private_key(key), algorithm, headers={"kid": kid or key})
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}

    def reason(self) -> str:
        """Return why a token was refused last, which only the ledger tells."""
        entries = self.twin.ledger(system="epic", kind="token_refused", key=self.twin.clients["backend"])
        reason: str = entries[-1]["data"]["reason"]
        return reason


def returned(answer: requests.Response) -> dict[str, str]:
    """Return the query that a browser brings back to the app."""
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def unverified(token: str) -> dict[str, Any]:
    """Return the claims of a JWT."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
