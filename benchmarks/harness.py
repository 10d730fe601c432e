"""What every benchmark shares: rows of results, a table, a JSON file.

A benchmark is a module of this package with a function ``measure() -> list[Row]``. It reads where the
stack listens from the environment ``python -m ehrconnector.stack bench`` gives it.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = "BENCH_FOLDER"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured value.

    ``peer`` is the same value of another product or method and ``ratio`` ours divided by it. ``target``
    is the most (or, if ``at_least``, the least) that is good enough; without one a row is only reported.
    """

    metric: str
    value: float
    unit: str
    peer: float | None = None
    target: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's."""
        return round(self.value / self.peer, 3) if self.peer else None

    @property
    def met(self) -> bool:
        """Say whether the target was reached; true without one."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    def as_json(self) -> dict[str, object]:
        """Return the row as it is written to the file."""
        row = asdict(self)
        del row["at_least"]
        return {**row, "ratio": self.ratio, "met": self.met}


def report(name: str, rows: Sequence[Row]) -> bool:
    """Print a table, write ``<name>.json``, and say whether every target was met."""
    folder = Path(os.environ.get(FOLDER, ".data/bench"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"\n{name}\n{table(rows)}\n  written to {path}\n")
    return all(row.met for row in rows)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    head = ("metric", "value", "unit", "peer", "ratio", "target", "met")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    sign = "≥" if row.at_least else "≤"
    target = "" if row.target is None else f"{sign} {row.target:g}"
    verdict = "" if row.target is None else ("yes" if row.met else "NO")
    return (row.metric, f"{row.value:.3g}", row.unit, _number(row.peer), _number(row.ratio), target, verdict)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
