"""The other side: asks the sandbox to do what Epic, a phone or a room would, and what it really saw."""

from typing import Any

import requests

SECONDS = 60
LONGEST_WAIT = 20


class Twin:
    """The sandbox's control addresses and ledger."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def set_up(self, setup: dict[str, Any]) -> None:
        """Register what the hospital's admins would type into Epic, Entra and Azure."""
        self._call("PUT", "/control/setup", json=setup)

    def set_faults(self, faults: dict[str, str]) -> None:
        """Switch on just these faults."""
        self._call("PUT", "/control/faults", json=faults)

    def book(self, **visit: Any) -> dict[str, Any]:
        """Book a visit in Epic; answers its CSN, conference id and how the HL7 message was acknowledged."""
        return self._call("POST", "/control/visits", json=visit)

    def book_group(self, *patients: str, **visit: Any) -> list[dict[str, Any]]:
        """Book a group visit in Epic; answers as :meth:`book` for each patient, in their order."""
        booked = self._call("POST", "/control/visits", json={"patients": patients, **visit})
        return list(booked["appointments"])

    def launch(self, csn: str, *, audience: str) -> str:
        """Return the address that Epic would open for this visit, with a fresh launch token."""
        return str(self._call("POST", f"/control/visits/{csn}/launch", json={"audience": audience})["url"])

    def admit(self, meeting: str, participant: str) -> None:
        """Let somebody in from the lobby, as the organizer."""
        self._call("POST", f"/control/rooms/{meeting}/admit", json={"participant": participant})

    def leave(self, meeting: str, participant: str) -> None:
        """Let somebody hang up."""
        self._call("POST", f"/control/rooms/{meeting}/leave", json={"participant": participant})

    def enter(self, url: str, **form: str) -> dict[str, Any]:
        """Join a room at its Teams address; answers meeting, participant and whether in the lobby."""
        answer = self._session.post(
            url, data=form, headers={"Accept": "application/json"}, timeout=SECONDS, allow_redirects=False
        )
        answer.raise_for_status()
        return dict(answer.json())

    def reply(self, phone: str, text: str) -> None:
        """Answer from a phone to the number that texted it last."""
        self._call("POST", f"/control/phones/{phone}/reply", json={"text": text})

    def last(self) -> int:
        """Return the number of the newest ledger entry."""
        return int(self._call("GET", "/ledger.json", params={"after": 2**60})["last"])

    def wait(self, system: str, kind: str, *, after: int, key: str = "", count: int = 1) -> list[dict[str, Any]]:
        """Return ``count`` ledger entries as soon as they exist.

        :raises LookupError: when they do not come in time.
        """
        found: list[dict[str, Any]] = []
        while len(found) < count:
            newest = found[-1]["id"] if found else after
            parameters = {"after": newest, "system": system, "kind": kind, "key": key, "wait": LONGEST_WAIT}
            entries = self._call("GET", "/ledger.json", params=parameters)["entries"]
            if not entries:
                raise LookupError(f"the sandbox saw {len(found)} of {count} entries {system}.{kind} {key}")
            found += entries
        return found

    def seen(self, system: str, kind: str, *, after: int, key: str = "") -> list[dict[str, Any]]:
        """Return the ledger entries that exist now."""
        parameters = {"after": after, "system": system, "kind": kind, "key": key}
        return list(self._call("GET", "/ledger.json", params=parameters)["entries"])

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = self._session.request(method, f"{self._url}{path}", timeout=SECONDS, **request)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}
