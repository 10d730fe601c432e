"""A customer of the twin, for its tests: sets it up, holds a token, signs requests, reads the ledger."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from tests.sandbox.subscriber import Subscriber

TENANT = "11111111-2222-4333-8444-555555555555"
APP = "22222222-3333-4444-8555-666666666666"
ORGANIZER = "aaaaaaaa-0001-4000-8000-000000000006"
PROVIDER = "aaaaaaaa-0001-4000-8000-000000000005"
COLLEAGUE = "aaaaaaaa-0001-4000-8000-000000000003"
ACS_KEY = base64.b64encode(b"an access key for tests 123456789").decode()
ACCOUNT = f"AC{'1' * 32}"
AUTH_TOKEN = "an auth token"
SERVICE = f"MG{'2' * 32}"
ACS_NUMBER = "+18335550100"
JSON = {"Accept": "application/json"}


class Twin:
    """The running sandbox as a customer sees it; ``webhook`` is the address the customer is reached at."""

    def __init__(self, url: str, *, webhook: str) -> None:
        self.url = url
        self.webhook = webhook
        self.http = requests.Session()
        self.put_setup()
        self.put_faults()
        self._after = self.last()

    def put_setup(self) -> None:
        """Type in what an administrator would."""
        app = {"client_id": APP, "client_secret": "a secret", "redirect_uris": []}
        body = {
            "entra": {"tenant_id": TENANT, "apps": [app]},
            "epic": [],
            "acs": {
                "access_key": ACS_KEY,
                "event_webhook_url": f"{self.webhook}/acs?key=1",
                "event_webhook_header": {"name": "X-Webhook-Secret", "value": "a webhook secret"},
            },
            "twilio": {
                "account_sid": ACCOUNT,
                "auth_token": AUTH_TOKEN,
                "messaging_services": {SERVICE: "+18445550100"},
            },
            "hl7": {},
            "graph": {},
        }
        self._put("/control/setup", body)

    def put_faults(self, faults: dict[str, str] | None = None) -> None:
        """Switch on these faults and no others."""
        self._put("/control/faults", faults or {})

    def last(self) -> int:
        """Return the id of the newest ledger entry."""
        last = 0
        while True:  # an answer holds a limited number of entries
            answer = self.http.get(f"{self.url}/ledger.json", params={"after": last}, timeout=10).json()
            if not answer["entries"]:
                return last
            last = answer["entries"][-1]["id"]

    def entries(self, system: str, kind: str, *, key: str = "", wait: int = 5) -> list[dict[str, Any]]:
        """Return the entries since this customer came, waiting for the first."""
        query = {"system": system, "kind": kind, "key": key, "after": self._after, "wait": wait}
        answer = self.http.get(f"{self.url}/ledger.json", params=query, timeout=wait + 10)
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries

    def close(self) -> None:
        self.put_faults()
        self.http.close()

    def _put(self, path: str, body: dict[str, Any]) -> None:
        self.http.put(f"{self.url}{path}", json=body, timeout=10).raise_for_status()

    # --- Graph and Teams ---

    def graph_token(self, *, scope: str = "https://graph.microsoft.com/.default") -> str:
        """Return an access token from the twin's Entra."""
        form = {
            "client_id": APP,
            "client_secret": "a secret",
            "grant_type": "client_credentials",
            "scope": scope,
        }
        answer = self.http.post(f"{self.url}/entra/{TENANT}/oauth2/v2.0/token", data=form, timeout=10)
        token: str = answer.json()["access_token"]
        return token

    def graph(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None, **params: str
    ) -> requests.Response:
        """Call Graph with a good token."""
        authorization = {"Authorization": f"Bearer {self.graph_token()}"}
        return self.http.request(
            method,
            f"{self.url}/graph{path}",
            json=body,
            params=params,
            headers={**authorization, **(headers or {})},
            timeout=30,
        )

    def new_meeting(self, **options: object) -> "Visit":
        """Create a meeting and set its options."""
        path = f"/v1.0/users/{ORGANIZER}/onlineMeetings"
        meeting = self.graph("POST", f"{path}/createOrGet", {"externalId": uuid.uuid4().hex}).json()
        path = f"{path}/{meeting['id']}"
        if options:
            self.graph("PATCH", path, options).raise_for_status()
        join_url = self.graph("GET", f"{path}/getVirtualAppointmentJoinWebUrl").json()["value"]
        return Visit(self, path=path, meeting=meeting, browser_url=join_url)

    def subscription_body(self, visit: "Visit", subscriber: Subscriber, **changes: object) -> dict[str, Any]:
        """Return a good subscription request."""
        address = quote(visit.meeting["joinWebUrl"], safe="")
        expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
        return {
            "changeType": "updated",
            "resource": f"communications/onlineMeetings(joinWebUrl='{address}')/meetingCallEvents",
            "includeResourceData": True,
            "encryptionCertificate": subscriber.certificate,
            "encryptionCertificateId": "first",
            "notificationUrl": f"{self.webhook}/graph",
            "lifecycleNotificationUrl": f"{self.webhook}/lifecycle",
            "clientState": "a client state",
            "expirationDateTime": expires_at.isoformat(),
            **changes,
        }

    # --- SMS ---

    def acs(self, method: str, path: str, body: object = None, **options: Any) -> requests.Response:
        """Call ACS with a signed request; ``key`` and ``timeout`` may be given."""
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{self.url}/acs{path}"
        headers = acs_headers(method, url, content, key=options.pop("key", ACS_KEY))
        return self.http.request(method, url, data=content, headers=headers, timeout=options.pop("timeout", 30))

    def twilio(self, method: str, path: str, form: dict[str, str] | None = None, **params: str) -> requests.Response:
        """Call Twilio with the account's token."""
        return self.http.request(
            method,
            f"{self.url}/twilio/2010-04-01/Accounts/{ACCOUNT}/{path}",
            data=form,
            params=params,
            auth=(ACCOUNT, AUTH_TOKEN),
            timeout=30,
        )

    def phone(self, e164: str) -> list[dict[str, Any]]:
        """Return the texts that reached a phone, newest first."""
        texts: list[dict[str, Any]] = self.http.get(f"{self.url}/control/phones/{e164}", timeout=10).json()
        return texts

    def reply(self, e164: str, text: str) -> requests.Response:
        """Answer from a phone."""
        return self.http.post(f"{self.url}/control/phones/{e164}/reply", json={"text": text}, timeout=10)


class Visit:
    """A meeting, and people going in and out."""

    def __init__(self, twin: Twin, *, path: str, meeting: dict[str, Any], browser_url: str) -> None:
        self.twin = twin
        self.path = path
        self.meeting = meeting
        self.browser_url = browser_url
        self.control = f"{twin.url}/control/rooms/{meeting['id']}"

    def patient(self) -> dict[str, str]:
        """Let somebody without an account join."""
        return self._join(self.browser_url, {"name": "Guest"})

    def staff(self, oid: str) -> dict[str, str]:
        """Let somebody of the tenant join."""
        return self._join(self.meeting["joinWebUrl"], {"as": oid})

    def do(self, act: str, participant: str = "") -> requests.Response:
        """Admit, leave or end through the control interface."""
        return self.twin.http.post(f"{self.control}/{act}", json={"participant": participant}, timeout=10)

    def subscribe(self, subscriber: Subscriber, **changes: object) -> requests.Response:
        """Subscribe to the meeting's call events."""
        body = self.twin.subscription_body(self, subscriber, **changes)
        return self.twin.graph("POST", "/beta/subscriptions", body)

    def _join(self, url: str, form: dict[str, str]) -> dict[str, str]:
        answer = self.twin.http.post(url, data=form, headers=JSON, timeout=10)
        answer.raise_for_status()
        joined: dict[str, str] = answer.json()
        return joined


def acs_headers(method: str, url: str, content: bytes, *, key: str) -> dict[str, str]:
    """Return the headers of a signed ACS request, written from the SDK's description."""
    parts = urlsplit(url)
    date = format_datetime(dt.datetime.now(dt.UTC), usegmt=True)
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    text = f"{method}\n{parts.path}?{parts.query}\n{date};{parts.netloc};{digest}"
    signature = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "x-ms-date": date,
        "x-ms-content-sha256": digest,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }


def fresh_phone(ending: str = "") -> str:
    """Return a phone number no test used yet; ``ending`` picks one of the magic ones."""
    middle = f"{uuid.uuid4().int % 10**7:07d}"
    return f"+1608{middle}" if not ending else f"+1608{middle[:3]}{ending}"
