"""A provider's launch in a browser of its own, step by step."""

import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests

from benchmarks._launch.client import Answer, Browser

BASE_URL = "https://epic.bench.example.org/api/FHIR/R4"
FORM = "application/x-www-form-urlencoded"
_FIELD = re.compile(rb'name="([^"]+)" value="([^"]*)"')


class StepFailed(Exception):
    """A step was not answered as it should be, so figures mean nothing."""


def fields_of(page: bytes) -> dict[str, str]:
    """Return the hidden fields of a page's forms."""
    return {name.decode(): value.decode() for name, value in _FIELD.findall(page)}


def new_visit() -> str:
    """Return the session id of a visit that nobody has heard of."""
    return str(uuid.uuid4().int % 10**9)


def code_for(nonce: str, session_id: str) -> str:
    """Return a code with which the stub's Epic knows the launch, and of which visit it is."""
    return f"{nonce}.{session_id}"


@dataclass
class Journey:
    """One launch. Its steps must be taken in the order of :data:`STEPS`, after :meth:`arrive`.

    :param path: of the launch address.
    :param session_id: of the visit.
    """

    browser: Browser
    path: str
    session_id: str = field(default_factory=new_visit)
    _fields: dict[str, str] = field(default_factory=dict)

    async def arrive(self) -> Answer:
        """Open the launch address and get the cookie."""
        return await self._send("GET", f"{self.path}?iss=x&launch=y")

    async def start(self) -> Answer:
        """Post the form that the first page posts by itself."""
        answer = await self._send("POST", self.path, iss=BASE_URL, launch="token")
        self._fields = fields_of(answer.body)
        return answer

    async def callback(self) -> Answer:
        """Come back from Epic."""
        query = urlencode({"state": self._fields["state"], "code": code_for(self._fields["nonce"], self.session_id)})
        return await self._send("GET", f"{self.path}/callback?{query}", status=requests.codes.see_other)

    async def status_page(self) -> Answer:
        """Look who is there."""
        answer = await self._send("GET", "/launch/visit")
        self._fields = fields_of(answer.body)
        return answer

    async def join(self) -> Answer:
        """Go on to Teams."""
        return await self._send("POST", "/launch/visit/join", token=self._fields["token"])

    async def _send(self, method: str, path: str, *, status: int = requests.codes.ok, **form: str) -> Answer:
        answer = await self.browser.send(method, path, urlencode(form).encode(), FORM if form else "")
        if answer.status != status:
            raise StepFailed(f"{method} {path.partition('?')[0]} answered {answer.status}: {answer.body[:400]!r}")
        return answer


JOIN = "join"
STEPS: dict[str, Callable[[Journey], Awaitable[Answer]]] = {
    "start": Journey.start,
    "callback": Journey.callback,
    "status page": Journey.status_page,
    JOIN: Journey.join,
}
