"""The twin's Graph and Teams, as tests use them."""

import requests

JSON = {"Accept": "application/json"}


class Twin:
    """The twin's side of a meeting: what it wrote down, and what people do in its rooms."""

    def __init__(self, url: str, client_id: str) -> None:
        self.url, self.client_id = url, client_id

    def entries(self, kind, key, *, system="graph", wait=0, after=0):
        wanted = {"system": system, "kind": kind, "key": key, "wait": wait, "after": after}
        answer = requests.get(f"{self.url}/ledger.json", params=wanted, timeout=30)
        return answer.json()["entries"]

    def wait_for(self, kind, key, *, count=1):
        """Wait until the twin has done ``kind`` so many times; it tells us, we do not poll."""
        found, after = [], 0
        while len(found) < count:
            news = self.entries(kind, key, wait=25, after=after)
            assert news, f"{len(found)} of {count} {kind}"
            found += news
            after = news[-1]["id"]
        return found

    def join(self, address, oid=None):
        form = {"as": oid} if oid else {"name": "Elena"}
        answer = requests.post(address, data=form, headers=JSON, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def do(self, act, meeting, participant=None):
        body = {"participant": participant} if participant else {}
        answer = requests.post(f"{self.url}/control/rooms/{meeting.graph_id}/{act}", json=body, timeout=10)
        assert answer.ok, answer.text

    def faults(self, **faults):
        named = {name.replace("__", "."): value for name, value in faults.items()}
        answer = requests.put(f"{self.url}/control/faults", json=named, timeout=10)
        assert answer.ok, answer.text
