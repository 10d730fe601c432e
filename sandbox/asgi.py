"""ASGI entry point of the sandbox process."""

import os

from core import handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings_sandbox")

application = handler.application()

from sandbox.hl7 import interface  # noqa: E402 - only now are the tables known

interface.resume()
