"""What happens in one invented visit: when it is, how it goes, who comes and goes, what becomes of its texts."""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

LOBBY, IN, LEFT_LOBBY, OUT = "lobby_entered", "connected", "left_lobby", "disconnected"
PROVIDER, PATIENT, PROXY, INTERPRETER = "provider", "patient", "proxy", "interpreter"
_DEPARTMENTS = {"LMFM": 26, "LMIM": 20, "LMBH": 18, "LMPED": 12, "LMDERM": 9, "LMCARD": 7, "LMENDO": 5, "LMNEUR": 3}
_TYPES = {"VV30": 70, "VV15": 20, "VGRP60": 10}
_NAMES = {"VV30": "VIDEO VISIT 30", "VV15": "VIDEO VISIT 15", "VGRP60": "GROUP VISIT 60"}
_MINUTES = {"VV30": 30, "VV15": 15, "VGRP60": 60}
_OUTCOMES = {
    "completed": 820, "patient_no_show": 65, "provider_no_show": 12, "waited_alone": 22, "missed": 14,
    "technical_failure": 16, "nobody_joined": 26, "cancelled": 25,
}  # fmt: skip
_TEXTS = {
    ("delivered", "sent", ""): 905, ("accepted", "", ""): 20, ("undelivered", "unreachable", "30003"): 22,
    ("undelivered", "invalid_number", "30006"): 12, ("undelivered", "spam", "30007"): 8,
    ("undelivered", "no_such_number", "30005"): 9, ("undelivered", "other_error", "30008"): 6,
    ("failed", "blocked_by_recipient", "21610"): 8, ("failed", "recipient_blocked", "30004"): 4,
    ("suppressed", "", ""): 5, ("expired", "", ""): 1,
}  # fmt: skip
_WEEKDAYS = (100, 108, 104, 98, 84, 9, 4)  # Monday first
_HOURS = {8: 8, 9: 13, 10: 15, 11: 13, 12: 6, 13: 12, 14: 14, 15: 12, 16: 8, 17: 3}
PROVIDERS = 24
_TEST_SHARE, _THIRD_PERSON, _DROPPED = 0.04, 0.14, 0.06

Value = TypeVar("Value")
Step = tuple[str, int, str, int]  # role, which of them, what, seconds from the planned start


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text: what it is about, how long before the visit, and what became of it."""

    kind: str
    offset_minutes: int
    state: str
    status: str
    code: str
    segments: int
    seconds_to_phone: int


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One visit. Everything follows from the seed and the number."""

    id: uuid.UUID
    session_id: str
    starts_at: datetime
    minutes: int
    department: str
    visit_type: str
    visit_type_name: str
    is_test: bool
    outcome: str
    provider: str
    steps: Sequence[Step]
    texts: Sequence[Text]


def plots(*, visits: int, days: int, seed: int, today: date, zone: ZoneInfo) -> Iterator[Plot]:
    """Yield ``visits`` visits of the ``days`` days before ``today``, more of them lately than at first."""
    calendar = [today - timedelta(days=number) for number in range(days, 0, -1)]
    growth = [1 + 0.35 * place / days for place in range(days)]
    weights = [_WEEKDAYS[day.weekday()] * more for day, more in zip(calendar, growth, strict=True)]
    for number in range(visits):
        chance = random.Random(f"{seed}:{number}")  # noqa: S311 - invented history
        day = chance.choices(calendar, weights)[0]
        yield _plot(chance, number=number, seed=seed, day=day, zone=zone)


def _plot(chance: random.Random, *, number: int, seed: int, day: date, zone: ZoneInfo) -> Plot:
    visit_type = _one_of(chance, _TYPES)
    outcome = _one_of(chance, _OUTCOMES)
    minute = chance.choice((0, 0, 15, 30, 30, 45))
    starts_at = datetime.combine(day, time(_one_of(chance, _HOURS), minute), zone)
    minutes = _MINUTES[visit_type]
    return Plot(
        id=uuid.UUID(int=chance.getrandbits(128), version=4),
        session_id=f"7{seed % 100:02}{number:06}",
        starts_at=starts_at,
        minutes=minutes,
        department=_one_of(chance, _DEPARTMENTS),
        visit_type=visit_type,
        visit_type_name=_NAMES[visit_type],
        is_test=chance.random() < _TEST_SHARE,
        outcome=outcome,
        provider=f"PROV{chance.randrange(PROVIDERS):03}",
        steps=_STORIES[outcome](chance, minutes),
        texts=_texts(chance, is_cancelled=outcome == "cancelled"),
    )


def _one_of(chance: random.Random, weights: dict[Value, int]) -> Value:
    return chance.choices(list(weights), list(weights.values()))[0]


def _completed(chance: random.Random, minutes: int) -> list[Step]:
    """Patient in the lobby, provider comes, they meet; sometimes somebody else too, or a connection that drops."""
    early = -chance.randint(20, 420)
    provider_at = max(early + 5, int(chance.gauss(60, 150)))
    admitted = provider_at + int(chance.expovariate(1 / 25)) + 4
    length = max(int(chance.gauss(minutes * 60 * 0.78, minutes * 60 * 0.22)), 90)
    end = admitted + length
    steps: list[Step] = [
        (PATIENT, 1, LOBBY, early), (PROVIDER, 1, IN, provider_at), (PATIENT, 1, IN, admitted),
        (PATIENT, 1, OUT, end), (PROVIDER, 1, OUT, end + chance.randint(2, 90)),
    ]  # fmt: skip
    if chance.random() < _THIRD_PERSON:
        role = chance.choice((PROXY, INTERPRETER))
        came = early + chance.randint(5, 60)
        steps += [(role, 1, LOBBY, came), (role, 1, IN, admitted + 6), (role, 1, OUT, end)]
    if chance.random() < _DROPPED:
        dropped = admitted + length // 3
        steps += [(PATIENT, 1, OUT, dropped), (PATIENT, 1, LOBBY, dropped + 25), (PATIENT, 1, IN, dropped + 40)]
    return steps


def _patient_no_show(chance: random.Random, _: int) -> list[Step]:
    came = chance.randint(-60, 240)
    return [(PROVIDER, 1, IN, came), (PROVIDER, 1, OUT, came + chance.randint(300, 900))]


def _provider_no_show(chance: random.Random, _: int) -> list[Step]:
    came = -chance.randint(30, 300)
    return [(PATIENT, 1, IN, came), (PATIENT, 1, OUT, came + chance.randint(600, 1500))]


def _waited_alone(chance: random.Random, _: int) -> list[Step]:
    came = -chance.randint(30, 400)
    return [(PATIENT, 1, LOBBY, came), (PATIENT, 1, LEFT_LOBBY, came + chance.randint(900, 2400))]


def _missed(chance: random.Random, _: int) -> list[Step]:
    came = -chance.randint(30, 300)
    gone = came + chance.randint(500, 900)
    later = gone + chance.randint(20, 400)
    return [
        (PATIENT, 1, LOBBY, came), (PATIENT, 1, LEFT_LOBBY, gone), (PROVIDER, 1, IN, later),
        (PROVIDER, 1, OUT, later + chance.randint(120, 600)),
    ]  # fmt: skip


def _nobody(_: random.Random, __: int) -> list[Step]:
    return []


_STORIES = {
    "completed": _completed,
    "patient_no_show": _patient_no_show,
    "provider_no_show": _provider_no_show,
    "waited_alone": _waited_alone,
    "missed": _missed,
    "technical_failure": _nobody,
    "nobody_joined": _nobody,
    "cancelled": _nobody,
}


def _texts(chance: random.Random, *, is_cancelled: bool) -> list[Text]:
    planned = [("scheduled", 0), ("reminder", 24 * 60), ("reminder", 120)]
    if is_cancelled:
        planned = [("scheduled", 0), ("cancelled", 0)]
    return [_text(chance, kind, offset) for kind, offset in planned]


def _text(chance: random.Random, kind: str, offset: int) -> Text:
    state, status, code = _one_of(chance, _TEXTS)
    return Text(
        kind=kind,
        offset_minutes=offset,
        state=state,
        status=status,
        code=code,
        segments=chance.choices((1, 2, 3), (30, 60, 10))[0],
        seconds_to_phone=chance.randint(2, 20),
    )
