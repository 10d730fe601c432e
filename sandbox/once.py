"""Things that may be used once."""

import hashlib
import threading
import time
import uuid
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from sandbox.models import Once

_PURGE_EVERY_SECONDS = 60


def issue(kind: str, value: str, *, lasts: timedelta, **data: Any) -> None:
    """Make ``value`` usable once, within ``lasts``."""
    _purge()
    Once.objects.create(kind=kind, digest=_digest(value), data=data, expires_at=timezone.now() + lasts)


def use(kind: str, value: str) -> dict[str, Any] | None:
    """Use ``value`` up and return what was kept with it; None when it is unknown, used or too old."""
    now = timezone.now()
    usable = Once.objects.filter(kind=kind, digest=_digest(value), used_at=None, expires_at__gt=now)
    with transaction.atomic():
        found = usable.select_for_update().first()
        if found is None:
            return None
        found.used_at = now
        found.save(update_fields=["used_at"])
    return dict(found.data)


def is_first(kind: str, value: str, *, lasts: timedelta) -> bool:
    """Return whether ``value`` is seen for the first time within ``lasts``; for ids of assertions."""
    Once.objects.filter(kind=kind, digest=_digest(value), expires_at__lte=timezone.now()).delete()
    try:
        with transaction.atomic():
            issue(kind, value, lasts=lasts)
    except IntegrityError:
        return False
    return True


def new_token() -> str:
    """Return a value that nobody can guess."""
    return uuid.uuid4().hex + uuid.uuid4().hex


class _Pause:
    """Lets somebody through at most once in a while."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next = 0.0

    def is_over(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + self._seconds
            return True


_pause = _Pause(_PURGE_EVERY_SECONDS)


def _purge() -> None:
    """Delete what is too old, once a minute; what was deleted stays refused, for nobody knows it any more."""
    if _pause.is_over():
        Once.objects.filter(expires_at__lte=timezone.now()).delete()


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
