"""An Epic of the tests' own, and a browser's way through a launch."""

import html
import re
from dataclasses import dataclass, field
from typing import Any

import jwt
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config_portal.models import FhirEndpoint
from epic.connection import SmartEndpoints
from tests.epic.keys import private_key, public_jwk
from tests.epic.peer import Peer
from tests.factories import BASE_URL

TOKEN, KEYS = "/oauth2/token", "/oauth2/jwks"
SIGNING_KEY = "rs-epic"


def smart_of(peer: Peer) -> SmartEndpoints:
    """Return the OAuth addresses that ``peer`` plays."""
    return SmartEndpoints(
        issuer=f"{peer.url}/oauth2",
        authorization_endpoint=f"{peer.url}/oauth2/authorize",
        token_endpoint=f"{peer.url}{TOKEN}",
        jwks_uri=f"{peer.url}{KEYS}",
    )


def fields_of(response: HttpResponse) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', response.content.decode())
    return {name: html.unescape(value) for name, value in found}


@dataclass
class Launch:
    """One launch in one browser: ``begin`` goes to Epic, ``come_back`` returns with a code."""

    peer: Peer
    endpoint: FhirEndpoint
    audience: str = "provider"
    browser: Client = field(default_factory=Client)
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return reverse(f"launch:{self.audience}_start", args=[self.endpoint.launch_id])

    @property
    def callback(self) -> str:
        return reverse(f"launch:{self.audience}_callback", args=[self.endpoint.launch_id])

    def open(self, *, iss: str = BASE_URL, launch: str = "launch-token") -> HttpResponse:
        """Open the launch address, as Epic does, and let the page send its form."""
        page = self.browser.get(self.address, {"iss": iss, "launch": launch}, secure=True)
        assert page.status_code == 200
        return self.browser.post(self.address, fields_of(page), secure=True)

    def begin(self, **given: str) -> "Launch":
        """Open the launch address and keep what the browser would post to Epic."""
        page = self.open(**given)
        assert page.status_code == 200, page.content.decode()
        self.sent = fields_of(page)
        return self

    def answer(self, *, sub: str = "Practitioner/eP.okafor", session_id: str = "482200417", **changes: Any) -> None:
        """Let Epic answer the code with tokens about ``sub`` and a visit."""
        now = int(timezone.now().timestamp())
        claims = {
            "iss": f"{self.peer.url}/oauth2",
            "sub": sub,
            "aud": f"{self.audience}-app",
            "iat": now,
            "exp": now + 300,
            "nonce": self.sent["nonce"],
            **changes.pop("claims", {}),
        }
        key = changes.pop("key", private_key(SIGNING_KEY))
        id_token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": SIGNING_KEY})
        self.peer.replace(KEYS, {"keys": [public_jwk(SIGNING_KEY, "RS256")]})
        self.peer.replace(
            TOKEN,
            {
                "access_token": "canary-access-token",
                "token_type": "Bearer",
                "expires_in": 300,
                "id_token": id_token,
                "SESSIONID": session_id,
                "conferenceId": "conference-1",
                **changes,
            },
        )

    def come_back(self, *, browser: Client | None = None, **changes: str) -> HttpResponse:
        """Return from Epic with a code, in this browser or another."""
        query = {"state": self.sent["state"], "code": "canary-code", **changes}
        return (browser or self.browser).get(self.callback, query, secure=True)

    def finish(self, **answer: Any) -> HttpResponse:
        """Begin, sign in at Epic and come back."""
        self.begin()
        self.answer(**answer)
        return self.come_back()
