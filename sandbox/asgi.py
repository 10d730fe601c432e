"""ASGI entry point of the sandbox process."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings_sandbox")

application = get_asgi_application()

from sandbox.hl7 import interface  # noqa: E402 - only now are the tables known

interface.resume()
