"""Key sets of clients, fetched from their JWKS URLs and kept as Epic documents it.

Source: Epic OAuth 2.0 specification, "JWKS URL": kept at most 29 hours, ``Cache-Control`` obeyed, and fetched
anew at most once for an assertion that no kept key verifies.
"""

import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
import requests

from sandbox.oauth import OAuthRefused

LONGEST_SECONDS = 29 * 3600
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC"}


class KeySets:
    """The key sets of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, jwt.PyJWKSet]] = {}

    def candidates(self, url: str, header: dict[str, Any]) -> Iterator[Any]:
        """Go through the keys that may verify a JWT with this header: kept ones first, then fresh ones.

        :raises OAuthRefused: ``invalid_client`` when the key set cannot be had.
        """
        with self._lock:
            good_until, kept = self._kept.get(url, (0.0, None))
        if kept is not None and time.monotonic() < good_until:
            yield from _matching(kept, header)
        yield from _matching(self._fetch(url), header)

    def _fetch(self, url: str) -> jwt.PyJWKSet:
        try:
            answer = requests.get(url, timeout=5, allow_redirects=False)
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_json(answer.text)
        except (requests.RequestException, jwt.PyJWTError, ValueError, AttributeError) as error:
            raise OAuthRefused("invalid_client", f"the client's key set: {type(error).__name__}: {error}") from error
        with self._lock:
            self._kept[url] = (time.monotonic() + _lasts(answer), keys)
        return keys


def _matching(keys: jwt.PyJWKSet, header: dict[str, Any]) -> Iterator[Any]:
    """Name the keys of the algorithm's kind; a header without a key id means any of them."""
    wanted, kind = header.get("kid"), _KEY_TYPES.get(str(header.get("alg"))[:2])
    for key in keys.keys:
        if key.key_type == kind and wanted in (None, key.key_id):
            yield key.key


def _lasts(answer: requests.Response) -> float:
    """Return for how many seconds an answer may be kept."""
    control = answer.headers.get("Cache-Control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0
    age = re.search(r"max-age=(\d+)", control)
    return min(int(age.group(1)), LONGEST_SECONDS) if age else LONGEST_SECONDS


key_sets = KeySets()
