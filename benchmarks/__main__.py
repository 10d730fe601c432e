"""``python -m benchmarks [name ...]``: run the named benchmarks, or all. ``make bench`` calls it."""

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.harness import report

_NO_BENCHMARKS = {"__main__", "harness", "ehr_stub", "writeback_runs"}


def main(wanted: list[str]) -> int:
    """Run the benchmarks and return 1 if one missed a target, 2 if one does not exist."""
    known = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    known = [name for name in known if name not in _NO_BENCHMARKS and not name.startswith("_")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.stderr.write(f"There is no benchmark {', '.join(unknown)}. Known: {', '.join(known)}\n")
        return 2
    verdicts = [report(name, importlib.import_module(f"benchmarks.{name}").measure()) for name in wanted or known]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
