"""The wording of a pre-flight run: the same on the page and in the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from config_portal.models import PreflightLine, PreflightRun

_State = PreflightLine.State
_TONES = {
    _State.WAITING: "next",
    _State.RUNNING: "info",
    _State.PASSED: "ok",
    _State.FAILED: "bad",
    _State.SKIPPED: "neutral",
}


@dataclass(frozen=True)
class LineRow:
    """One line."""

    line: PreflightLine

    @property
    def tone(self) -> str:
        """How it went."""
        return _TONES[_State(self.line.state)]

    @property
    def instructions(self) -> str:
        """What is to be done, in one sentence; commands are in :attr:`commands`."""
        lines = self.line.todo.splitlines()
        return " ".join(line for line in lines if not _is_command(line))

    @property
    def commands(self) -> list[str]:
        """What is to be typed into PowerShell."""
        return [line for line in self.line.todo.splitlines() if _is_command(line)]


@dataclass(frozen=True)
class RunPage:
    """A run and its lines."""

    run: PreflightRun
    rows: Sequence[LineRow]
    is_stale: bool = False

    @property
    def is_live(self) -> bool:
        """Whether something may still change."""
        return self.run.state != PreflightRun.State.FINISHED

    @property
    def ended(self) -> int:
        """How many lines have come to an end."""
        return sum(row.line.state not in {_State.WAITING, _State.RUNNING} for row in self.rows)

    @property
    def summary(self) -> str:
        """Where the run stands."""
        if self.is_live:
            return f"{self.ended} of {len(self.rows)} checked"
        total = self.run.passed + self.run.failed
        if self.run.failed:
            return f"{self.run.passed} of {total} passed, {self.run.failed} failed"
        return f"All {total} passed"

    @property
    def tone(self) -> str:
        """The tone of :attr:`summary`."""
        if self.is_live:
            return "info"
        return "bad" if self.run.failed else "ok"


def run_page(run: PreflightRun, *, is_stale: bool) -> RunPage:
    """Return ``run`` with its lines, in order."""
    return RunPage(run=run, rows=[LineRow(line) for line in run.lines.all()], is_stale=is_stale)


def _is_command(line: str) -> bool:
    """PowerShell commands are a verb, a hyphen and a noun, such as ``New-CsApplicationAccessPolicy``."""
    verb, _, rest = line.partition("-")
    return verb in {"New", "Grant", "Set", "Get", "Connect"} and rest[:2] in {"Cs", "Mi"}
