import io
import json
import logging

import pytest

from core import logging as core_logging
from core.context import set_request_id


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("texting +16085550177 now", "5550177"),
        ("GET /j/AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAA"),
        ("GET /i/AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAA"),
        ("callback?code=abc123&state=xyz789", "abc123"),
        ("callback?code=abc123&state=xyz789", "xyz789"),
        ("/launch/provider?iss=x&launch=tok", "tok"),
        ("Authorization: Bearer abcdef", "abcdef"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln was refused", "eyJzdWIi"),
        ("PID|1||E40021877^^^LAMNAMRN^MR||RIVERA^ELENA", "RIVERA"),
    ],
)
def test_secrets_and_patients_are_blotted_out(text, secret):
    assert secret not in core_logging.redact(text)


def test_ordinary_text_stays_as_it_is():
    text = "text accepted by acs in 210 ms, 2 segments, version 3"
    assert core_logging.redact(text) == text


@pytest.fixture
def line():
    """Return the last line that a logger of a configured process wrote."""
    before = logging.root.handlers[:], logging.root.level
    core_logging.configure({"level": "INFO"})
    written = io.StringIO()
    logging.root.handlers[0].setStream(written)
    set_request_id("0123456789abcdef")
    yield lambda: json.loads(written.getvalue().splitlines()[-1])
    set_request_id("")
    logging.root.handlers[:], logging.root.level = before


def test_a_line_is_json_with_the_request_id(line):
    logging.getLogger("sms").info("text accepted", extra={"system": "acs", "ms": 210})
    written = line()
    assert (written["event"], written["system"], written["ms"]) == ("text accepted", "acs", 210)
    assert written["request_id"] == "0123456789abcdef"


def test_a_key_that_is_not_listed_does_not_leave_the_process(line):
    logging.getLogger("sms").info("text accepted", extra={"phone": "+16085550177", "patient": "Elena"})
    written = json.dumps(line())
    assert "Elena" not in written
    assert "5550177" not in written


def test_an_exception_is_written_without_what_it_quotes(line):
    try:
        int("PID|1||E40021877")
    except ValueError:
        logging.getLogger("hl7intake").exception("not read")
    assert "E40021877" not in json.dumps(line())
