#!/usr/bin/env python
"""Django's command line for the connector."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings first

    from core import scope  # noqa: PLC0415

    scope.use_for_process(scope.of_platform("command"))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
