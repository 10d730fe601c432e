"""What a browser was shown on approval pages, kept on the server in its session.

So that after a change in between the page can say what was changed since, not only that something was.
"""

from typing import Any, cast

from django.contrib.sessions.backends.base import SessionBase

_KEY = "approval_shown"
_MOST = 3


def remember(session: SessionBase, digest: str, content: dict[str, Any]) -> None:
    """Remember the snapshot that was just shown, and the two before it."""
    kept = {known: value for known, value in session.get(_KEY, {}).items() if known != digest}
    session[_KEY] = dict([*kept.items(), (digest, content)][-_MOST:])


def recall(session: SessionBase, digest: str) -> dict[str, Any] | None:
    """Return the snapshot with this digest if this browser was shown it."""
    return cast("dict[str, Any] | None", session.get(_KEY, {}).get(digest))
