"""A listener on ``KILLED_LISTENER_PORT`` until it is killed: what ``manage.py run_mllp`` is once Django is loaded."""

import os
import sys
from typing import NoReturn

import django

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("test"))

from django.core.management import call_command  # noqa: E402 - after setup

from hl7intake.management.commands import run_mllp  # noqa: E402
from tests.forking import fork_for_each_line  # noqa: E402


def work() -> NoReturn:
    """Listen; standard output is the forker's."""
    port = os.environ["KILLED_LISTENER_PORT"]
    call_command(run_mllp.Command(stdout=sys.stderr), "--host", "127.0.0.1", "--port", port)  # type: ignore[arg-type]
    sys.exit()


if __name__ == "__main__":
    fork_for_each_line(work)
