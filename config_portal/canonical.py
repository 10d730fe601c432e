"""The one way in which JSON is written where a digest of it must always be the same."""

import hashlib
import json
from typing import Any


def digest(content: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of ``content``: sorted keys, no white space, UTF-8."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
