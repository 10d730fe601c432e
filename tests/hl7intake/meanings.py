"""What a message means, in one call, for tests."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hl7intake.errors import MessageRefused
from hl7intake.findings import FindingCode
from hl7intake.mapping import Scheduled, interpret
from hl7intake.reader import read
from hl7intake.rules import Rules

CHICAGO = ZoneInfo("America/Chicago")
RULES = Rules(zone=CHICAGO, visit_types=frozenset({"VV30", "VGRP60"}))
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def meaning_of(raw: bytes, rules: Rules = RULES, now: datetime = NOW):
    return interpret(read(raw), rules=rules, now=now)


def scheduled(raw: bytes, rules: Rules = RULES) -> Scheduled:
    meaning = meaning_of(raw, rules)
    assert isinstance(meaning, Scheduled)
    return meaning


def codes(meaning) -> list[FindingCode]:
    return [finding.code for finding in meaning.findings]


def refusal(raw: bytes) -> MessageRefused:
    with pytest.raises(MessageRefused) as refused:
        meaning_of(raw)
    return refused.value
