"""From a change of presence to the EHR; :mod:`benchmarks.writeback_runs` says what is measured."""

import importlib

import django

from benchmarks.harness import Row
from core import scope


def measure() -> list[Row]:
    """Set Django up for the stack's database, then run."""
    django.setup()
    scope.use_for_process(scope.of_platform("benchmark"))
    rows: list[Row] = importlib.import_module("benchmarks.writeback_runs").measure()
    return rows
