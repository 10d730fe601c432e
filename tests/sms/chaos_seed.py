"""Tables and texts in a database of a test's own: ``python -m tests.sms.chaos_seed TEXTS SUPPLIER``."""

import sys

import django

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("test"))

from django.core.management import call_command  # noqa: E402 - after setup

from tests.sms.test_chaos import book  # noqa: E402

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    book(int(sys.argv[1]), sys.argv[2])
