"""ASGI entry point."""

import os

from core import garbage, handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")

_django = handler.application()

from launch.stream import with_streams  # noqa: E402 - only now may models be imported

application = with_streams(_django)  # reads the addresses, and so loads every view
garbage.settle()
