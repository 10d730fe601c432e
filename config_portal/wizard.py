"""Setup as a task list: apps register their steps, the Setup page shows them in order.

A step looks at what is stored and says where it stands; nothing about progress is kept apart from the
thing itself, so that closing the tab loses nothing. Apps above call :func:`register` from
``AppConfig.ready()``; the orders in use are those of :class:`Order`, ten apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from config_portal.models import FhirEndpoint, Organization


class Order(IntEnum):
    """Where a step stands in the list; steps in between take the numbers in between."""

    ORGANIZATION = 10
    TEAMS = 20
    KEYS = 30
    ENDPOINTS = 40
    SMS = 50
    SENDER_CERTIFICATE = 55
    PREFLIGHT = 60
    APPROVE = 70
    REVIEW = 80


class StepState(StrEnum):
    """Where a step stands."""

    DONE = "done"
    NEEDS_YOU = "needs_you"
    WAITING = "waiting"  # for somebody else, or for time to pass
    NOT_STARTED = "not_started"
    BLOCKED = "blocked"  # something before it has to be done first


@dataclass(frozen=True, kw_only=True)
class SetupContext:
    """What every step is given: read once, so that the page needs the same few queries however many steps there are.

    :param organization: with ``teams_tenant`` joined.
    :param endpoints: all of the organization's, with everything joined that a snapshot reads, so that drafts
        can be compared with what was approved (:func:`config_portal.services.drafts.draft_of`).
    """

    organization: Organization
    endpoints: Sequence[FhirEndpoint]
    now: datetime


@dataclass(frozen=True, kw_only=True)
class StepStatus:
    """Where a step stands and what comes next.

    :param detail: one sentence on what there is, or what is missing.
    :param owner: who did it or has to act: a user name or a role such as ``Epic analyst``.
    :param since: since when it has been so.
    :param action_label: names the next act; '' when there is none.
    """

    state: StepState
    detail: str
    owner: str = ""
    since: datetime | None = None
    action_label: str = ""
    action_url: str = ""


@dataclass(frozen=True, kw_only=True)
class SetupStep:
    """One row of the task list.

    :param name: unique, such as ``keys``.
    :param status: works out where the step stands with a number of queries that does not grow.
    :param is_optional: the setup is complete without it.
    """

    name: str
    title: str
    order: int
    status: Callable[[SetupContext], StepStatus]
    is_optional: bool = False


_steps: dict[str, SetupStep] = {}


def register(step: SetupStep) -> None:
    """Add a step; registering a name again replaces its step."""
    _steps[step.name] = step


def unregister(name: str) -> None:
    """Take a step off the list; unknown names are ignored."""
    _steps.pop(name, None)


def steps() -> list[SetupStep]:
    """Return every step, in order."""
    return sorted(_steps.values(), key=lambda step: (step.order, step.name))
