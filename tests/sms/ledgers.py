"""What phones really got, kept by the suppliers' side: the witness that our own tables are compared with."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

from tests.sms.supplier import HANG, Answer, Call

ANSWER_SECONDS, SLOW_SECONDS = 0.05, 0.6
Fault = Callable[[int], str]


class Ledger:
    """Takes every text and remembers it. ``fault`` names what goes wrong with the n-th call.

    ``busy`` and ``error`` take nothing; ``hang`` and ``broken`` take the text and do not say so; ``slow`` says so late.
    """

    def __init__(self, fault: Fault = lambda _n: "") -> None:
        self.texts: list[tuple[str, str]] = []
        self.calls = 0
        self.fault = fault

    @property
    def for_each_phone(self) -> Counter[str]:
        """How many texts each phone got."""
        return Counter(phone for phone, _ in self.texts)

    def answer(self, call: Call) -> Answer:
        """Take a call."""
        self.calls += 1
        fault = self.fault(self.calls) if call.method == "POST" else ""
        if fault == "busy":
            return Answer(429, headers={"Retry-After": "1"})
        if fault == "error":
            return Answer(503, headers={"Retry-After": "1"})
        answer = self._take(call)
        if fault == "hang":
            return Answer(HANG)
        if fault == "broken":
            return Answer(500, after=ANSWER_SECONDS)
        return replace(answer, after=SLOW_SECONDS if fault == "slow" else ANSWER_SECONDS)

    def _take(self, call: Call) -> Answer:
        raise NotImplementedError


class AcsLedger(Ledger):
    """Azure: the same key is the same text."""

    def __init__(self, fault: Fault = lambda _n: "") -> None:
        super().__init__(fault)
        self._by_key: dict[str, str] = {}

    def _take(self, call: Call) -> Answer:
        recipient = call.recipient
        key = recipient["repeatabilityRequestId"]
        if key not in self._by_key:
            self._by_key[key] = uuid.uuid4().hex
            self.texts.append((recipient["to"], call.json["message"]))
        result = {"to": recipient["to"], "messageId": self._by_key[key], "httpStatusCode": 202, "successful": True}
        return Answer(202, {"value": [result]})


class TwilioLedger(Ledger):
    """Twilio: every post is another text; the list of messages tells what was taken."""

    def __init__(self, fault: Fault = lambda _n: "") -> None:
        super().__init__(fault)
        self._messages: list[dict[str, str]] = []

    def _take(self, call: Call) -> Answer:
        if call.method == "GET":
            wanted = parse_qs(urlsplit(call.path).query)["To"][0]
            return Answer(200, {"messages": [each for each in self._messages if each["to"] == wanted]})
        form = call.form
        message = {
            "sid": f"SM{uuid.uuid4().hex}",
            "to": form["To"],
            "body": form["Body"],
            "status": "queued",
            "date_created": format_datetime(datetime.now(UTC)),
        }
        self._messages.append(message)
        self.texts.append((form["To"], form["Body"]))
        return Answer(201, message)
