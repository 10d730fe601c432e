"""ASGI entry point."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")

_django = get_asgi_application()

from launch.stream import with_streams  # noqa: E402 - only now may models be imported

application = with_streams(_django)  # type: ignore[arg-type]  # Django's types name dict and Mapping
