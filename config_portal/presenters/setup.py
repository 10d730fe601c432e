"""The wording of the Setup page."""

from dataclasses import dataclass
from datetime import datetime

from config_portal.services.setup import Progress
from config_portal.wizard import SetupStep, StepState, StepStatus
from core.moments import ago

_WORDS = {
    StepState.DONE: ("Done", ""),
    StepState.NEEDS_YOU: ("Needs you", "warn"),
    StepState.WAITING: ("Waiting", "info"),
    StepState.NOT_STARTED: ("Not started", ""),
    StepState.BLOCKED: ("Cannot start yet", ""),
}
_MARKS = {StepState.DONE: "done", StepState.WAITING: "waiting"}


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """A step as a row of the task list."""

    step: SetupStep
    step_status: StepStatus
    is_next: bool
    now: datetime

    @property
    def title(self) -> str:
        """The step's name; an optional step says so."""
        return f"{self.step.title} (optional)" if self.step.is_optional else self.step.title

    @property
    def detail(self) -> str:
        """What there is, or what is missing."""
        return self.step_status.detail

    @property
    def state(self) -> str:
        """Which mark the row has."""
        return "current" if self.is_next else _MARKS.get(self.step_status.state, "todo")

    @property
    def status(self) -> str:
        """Where the step stands, in words."""
        status = self.step_status
        if status.state == StepState.WAITING and status.owner:
            return f"Waiting for {status.owner}"
        return _WORDS[status.state][0]

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`; plain text where there is nothing to do."""
        return _WORDS[self.step_status.state][1]

    @property
    def note(self) -> str:
        """Who did it or has to act, and how long ago that began."""
        status = self.step_status
        owner = "" if status.state == StepState.WAITING else status.owner
        return " · ".join(part for part in (owner, self._age) if part)

    @property
    def _age(self) -> str:
        """How long ago it was done, or for how long it has been as it is."""
        status = self.step_status
        if status.since is None:
            return ""
        age = ago(status.since, now=self.now)
        return f"{age} ago" if status.state == StepState.DONE else f"for {age}"

    @property
    def action_label(self) -> str:
        """The next act; none where the step cannot start yet."""
        return "" if self.step_status.state == StepState.BLOCKED else self.step_status.action_label

    @property
    def action_url(self) -> str:
        """Where the next act is."""
        return self.step_status.action_url

    @property
    def action_kind(self) -> str:
        """One button of the page stands out: the next act."""
        return "primary" if self.is_next else "secondary"


@dataclass(frozen=True, kw_only=True)
class SetupPage:
    """The whole task list."""

    progress: Progress
    now: datetime

    @property
    def tasks(self) -> list[TaskRow]:
        """The rows, the next one marked."""
        upcoming = self.progress.next_step
        return [
            TaskRow(step=step, step_status=status, is_next=upcoming is not None and step is upcoming[0], now=self.now)
            for step, status in self.progress.rows
        ]

    @property
    def lead(self) -> str:
        """How far the setup is and what comes next."""
        done, needed = self.progress.done, len(self.progress.needed)
        if self.progress.next_step is None:
            return f"{done} of {needed} done. Changes take effect when they are approved."
        step, status = self.progress.next_step
        wait = f", which waits for {status.owner}" if status.state == StepState.WAITING and status.owner else ""
        return f"{done} of {needed} done. Next: {step.title}{wait}. Everything is saved as you go."
