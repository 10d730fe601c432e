"""How requests are answered under ASGI: each in one thread of its own, from the first middleware to the view.

Django's own handler runs middleware that *can* be asynchronous on the event loop and everything else in a thread,
and goes to and fro between them some twenty times a request. All our views and most middleware are synchronous, so
that is twenty waits for the interpreter while others compute, and nothing is gained.
"""

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class OneThreadHandler(ASGIHandler):
    """An ASGI handler whose middleware and views are all synchronous, and entered once."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Build the chain for a thread, although we are called from an event loop."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request`` in its thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


def application() -> OneThreadHandler:
    """Set Django up and return the application to serve."""
    django.setup(set_prefix=False)
    return OneThreadHandler()
