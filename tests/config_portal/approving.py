"""An approver in a browser: signs in to an Epic of the tests' own, approves or sends back."""

import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from config_portal import snapshot
from config_portal.models import FhirEndpoint
from config_portal.services import approvers
from config_portal.services.drafts import draft_of
from tests.entra import CALLBACK, answer_about, claims_of
from tests.epic.keys import private_key, public_jwk
from tests.epic.peer import Peer
from tests.factories import make_endpoint, make_staff

FHIR, TOKEN, KEYS = "/interconnect/api/FHIR/R4", "/oauth2/token", "/oauth2/jwks"
SIGNING_KEY = "rs-epic"
DANA = "dana.ortiz@lamna.example.org"


def play_epic(peer: Peer) -> None:
    """Let ``peer`` say about itself what an Epic says."""
    peer.replace(
        f"{FHIR}/.well-known/smart-configuration",
        {
            "issuer": f"{peer.url}/oauth2",
            "authorization_endpoint": f"{peer.url}/oauth2/authorize",
            "token_endpoint": f"{peer.url}{TOKEN}",
            "jwks_uri": f"{peer.url}{KEYS}",
        },
    )
    peer.replace(f"{FHIR}/metadata", {"software": {"name": "Epic", "version": "May 2026"}, "fhirVersion": "4.0.1"})
    peer.replace(KEYS, {"keys": [public_jwk(SIGNING_KEY, "RS256")]})


def make_unapproved(peer: Peer, organization: Any = None, **values: Any) -> FhirEndpoint:
    """Return an endpoint at ``peer`` that Dana is to approve, and has not."""
    values = {"base_url": f"{peer.url}{FHIR}", "approver_username": DANA, **values}
    return make_endpoint(organization, approved=False, **values)


def make_approver(endpoint: FhirEndpoint, *roles: Role, username: str = DANA) -> User:
    """Return Dana, who has signed in and was bound."""
    user = make_staff(endpoint.organization, *(roles or (Role.ANALYST,)), username=username)
    approvers.bind(user, [fresh(endpoint)], now=timezone.now())
    return user


def fresh(endpoint: FhirEndpoint) -> FhirEndpoint:
    """Return the endpoint as it is in the database now."""
    return snapshot.with_parts(FhirEndpoint.objects.all()).get(pk=endpoint.pk)


@dataclass
class Desk:
    """A person's browser at the approval pages of one endpoint."""

    peer: Peer
    endpoint: FhirEndpoint
    user: User
    browser: Client = field(default_factory=Client)
    digest: str = ""
    sent: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.browser.force_login(self.user)

    def url(self, name: str, *more: object) -> str:
        return reverse(f"portal:{name}", args=[self.endpoint.pk, *more])

    def look(self) -> str:
        """Open the approval page and keep the digest that its forms carry."""
        answer = self.browser.get(self.url("approval"))
        assert answer.status_code == 200
        text = answer.content.decode()
        found = re.search(r'name="digest" value="(\w+)"', text)
        self.digest = found.group(1) if found else ""
        return text

    def go_to_epic(self) -> None:
        """Press the button of step 1 and keep what the browser is sent to Epic with."""
        answer = self.browser.post(self.url("approval_epic"))
        assert answer.status_code == 200, answer.content.decode()
        parts = urlsplit(answer.headers["Refresh"].removeprefix("0; url="))
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.peer.url}/oauth2/authorize"
        self.sent = dict(parse_qsl(parts.query))

    def epic_answers(self, *, sub: str = "Practitioner/eP.dana", **claims: Any) -> None:
        """Let Epic answer the code with an id_token about ``sub``."""
        now = int(timezone.now().timestamp())
        claims = {
            "iss": f"{self.peer.url}/oauth2", "sub": sub, "aud": self.sent["client_id"],
            "iat": now, "exp": now + 300, "nonce": self.sent["nonce"], **claims,
        }  # fmt: skip
        id_token = jwt.encode(claims, private_key(SIGNING_KEY), algorithm="RS256", headers={"kid": SIGNING_KEY})
        token = {"access_token": "canary-access-token", "token_type": "Bearer", "expires_in": 300, "id_token": id_token}
        self.peer.replace(TOKEN, token)

    def come_back(self, *, browser: Client | None = None, **changes: str) -> HttpResponse:
        """Return from Epic with a code; the page that follows."""
        query = {"state": self.sent["state"], "code": f"canary-code-{uuid.uuid4().hex}", **changes}
        address = reverse("portal:approval_callback", args=[self.endpoint.launch_id])
        return (browser or self.browser).get(address, query, follow=True)

    def sign_in_to_epic(self, **claims: Any) -> str:
        """Go to Epic, sign in, come back; the page that follows."""
        self.go_to_epic()
        self.epic_answers(**claims)
        return self.come_back().content.decode()

    def press_approve(self, digest: str | None = None) -> HttpResponse:
        """Press the button of step 2; the answer sends the browser to Entra, or says why not."""
        return self.browser.post(self.url("approve"), {"digest": self.digest if digest is None else digest})

    def asked_of_entra(self, answer: HttpResponse) -> dict[str, str]:
        """Return what the browser is sent to Entra with."""
        return dict(parse_qsl(urlsplit(answer.headers["Refresh"].removeprefix("0; url=")).query))

    def return_from_entra(self, answer: HttpResponse, **claims: Any) -> HttpResponse:
        """Let Entra say what it knows of the person, with changed claims, and come back; what follows."""
        asked = self.asked_of_entra(answer)
        answer_about(self.peer, **{**claims_of(self.user), **claims})
        back = self.browser.get(CALLBACK, {"code": uuid.uuid4().hex, "state": asked["state"]})
        return self.browser.get(back.headers["Location"]) if back.status_code == 302 else back

    def approve(self, digest: str | None = None) -> HttpResponse:
        """Press the button of step 2, be confirmed by Entra, come back."""
        answer = self.press_approve(digest)
        return self.return_from_entra(answer) if "Refresh" in answer.headers else answer

    def go_through(self) -> HttpResponse:
        """Look, sign in to Epic, look again, approve."""
        self.look()
        self.sign_in_to_epic()
        self.look()
        return self.approve()


def change(endpoint: FhirEndpoint, **values: Any) -> None:
    """Change the draft past every form."""
    FhirEndpoint.objects.filter(pk=endpoint.pk).update(**values)


def snapshot_digest(endpoint: FhirEndpoint) -> str:
    """Return the digest of the draft as it stands."""
    return draft_of(fresh(endpoint)).digest
