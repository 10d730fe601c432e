"""The pre-flight check: apps register what they can verify, one line each.

A check looks at the *draft* of one FHIR endpoint, calls what it has to call, and answers with a
:class:`CheckResult`. Checks run at the same time, each in a thread with a database connection and an
HTTP session of its own, so they must not rely on one another; what several need is in :class:`CheckContext`.
A ``ConnectorError`` need not be caught: :mod:`config_portal.services.preflight` turns it into a line.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

import requests

from config_portal.models import FhirEndpoint
from core.errors import ConnectorError
from core.http import build_session
from epic.discovery import DiscoveredEpic, discover

Value = TypeVar("Value")


class Outcome(StrEnum):
    """What came out of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # could not be checked, or there is nothing to check


class Fixer(StrEnum):
    """Who can mend what a check found."""

    ADMIN = "Microsoft 365 admin"
    TEAMS_ADMIN = "Teams admin"
    ANALYST = "Epic analyst"
    NETWORK = "Network team"
    OPERATOR = "Operator of the EHR connector"


class Group(IntEnum):
    """Where a line stands on the page; lines in between take the numbers in between."""

    ADDRESS = 100
    KEYS = 200
    TEAMS = 300
    SMS = 400
    SENDER = 500
    TRIAL = 600


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a check found.

    :param cause: in words: what was found when it passed, what is wrong when it failed.
    :param who: a :class:`Fixer`, of a failed check.
    :param todo: what that person does; commands stand on lines of their own.
    :param link: address of the page on which it is mended, and what the link is called.
    """

    outcome: Outcome
    cause: str
    who: str = ""
    todo: str = ""
    code: str = ""
    link: str = ""
    link_label: str = ""


def passed(cause: str) -> CheckResult:
    """Return a passed line that says what was found."""
    return CheckResult(outcome=Outcome.PASSED, cause=cause)


def skipped(cause: str) -> CheckResult:
    """Return a line that says why there was nothing to check."""
    return CheckResult(outcome=Outcome.SKIPPED, cause=cause)


def failed(
    cause: str, *, who: str, todo: str = "", code: str = "", link: str = "", link_label: str = ""
) -> CheckResult:
    """Return a failed line: what is wrong, who mends it, how and where."""
    return CheckResult(
        outcome=Outcome.FAILED, cause=cause, who=who, todo=todo, code=code, link=link, link_label=link_label
    )


@dataclass
class CheckContext:
    """What a check is given.

    :param endpoint: the draft, with ``organization`` and its ``teams_tenant`` joined; not to be saved.
    :param inputs: what the person pasted, by input name; absent when nothing was.
    """

    endpoint: FhirEndpoint
    now: datetime
    inputs: Mapping[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _slots: dict[str, "_Slot"] = field(default_factory=dict, repr=False)

    def session(self) -> requests.Session:
        """Return a guarded session for the calling thread; sessions must not be shared."""
        return build_session()

    @property
    def client_id(self) -> str:
        """The client id to name when the question is not about one of our apps."""
        endpoint = self.endpoint
        return endpoint.backend_client_id or endpoint.provider_client_id or endpoint.patient_client_id

    def shared(self, key: str, make: Callable[[], Value]) -> Value:
        """Return what ``make`` returns, made once for all checks that ask for ``key``; the others wait.

        :raises ConnectorError: what ``make`` raised, to every check that asks.
        """
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if not slot.is_made:
                try:
                    slot.value = make()
                except ConnectorError as error:
                    slot.error = error
                slot.is_made = True
        if slot.error is not None:
            raise slot.error
        value: Value = slot.value
        return value

    def discovered(self) -> DiscoveredEpic:
        """Return what the Epic says about itself.

        :raises ConnectorError: as :func:`epic.discovery.discover`.
        """
        return self.shared(
            "discovered", lambda: discover(self.session(), self.endpoint.base_url, client_id=self.client_id)
        )


@dataclass
class _Slot:
    """Something that several checks need."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_made: bool = False
    value: Any = None
    error: ConnectorError | None = None


@dataclass(frozen=True, kw_only=True)
class SetupCheck:
    """One line of the pre-flight check.

    :param name: unique slug; also what ``manage.py doctor --json`` calls it.
    :param title: what is checked, such as ``Access token from Epic``.
    :param needs_input: name of the input without which the line is left out, such as ``test_link``.
    """

    name: str
    title: str
    order: int
    run: Callable[[CheckContext], CheckResult]
    needs_input: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckInput:
    """Something a person may paste for a check, such as a test link.

    :param clean: returns the text in the form the check expects, or raises ``ConfigurationError`` with words.
    """

    name: str
    label: str
    help: str
    clean: Callable[[str], str]
    longest: int = 4000


_checks: dict[str, SetupCheck] = {}
_inputs: dict[str, CheckInput] = {}


def register(check: SetupCheck) -> None:
    """Add a line; registering a name again replaces it."""
    _checks[check.name] = check


def unregister(name: str) -> None:
    """Take a line off the list; unknown names are ignored."""
    _checks.pop(name, None)


def checks(inputs: Mapping[str, str] | None = None) -> list[SetupCheck]:
    """Return the lines for these inputs, in order."""
    given = {name for name, value in (inputs or {}).items() if value}
    wanted = [check for check in _checks.values() if not check.needs_input or check.needs_input in given]
    return sorted(wanted, key=lambda check: (check.order, check.name))


def register_input(known: CheckInput) -> None:
    """Add something that a person may paste; registering a name again replaces it."""
    _inputs[known.name] = known


def inputs() -> list[CheckInput]:
    """Return everything that may be pasted, in the order of its names."""
    return [_inputs[name] for name in sorted(_inputs)]
