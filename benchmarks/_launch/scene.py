"""What the benchmark needs in the database, and what it reads there."""

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks._launch import stub
from benchmarks._launch.journey import BASE_URL, code_for, fields_of, new_visit
from core import scope

if TYPE_CHECKING:
    from django.test import Client

_GIVEN = {"iss": BASE_URL, "launch": "y"}


def set_up(elsewhere: Mapping[str, str]) -> None:
    """Set Django up in this process, silent but for errors.

    :param elsewhere: settings that lead to the stub: this process makes a launch of its own to count its statements.
    """
    os.environ |= {"LOG_LEVEL": "ERROR", **elsewhere}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ehrconnector.settings")
    import django  # noqa: PLC0415 - only now is it known that this benchmark runs

    django.setup()
    scope.use_for_process(scope.of_platform("benchmark"))


def endpoint(peers: str) -> str:
    """Make an approved endpoint whose Epic is the stub, and return its launch id."""
    from django.utils import timezone  # noqa: PLC0415

    from config_portal.models import ConfigurationVersion, FhirEndpoint  # noqa: PLC0415
    from config_portal.snapshot import digest  # noqa: PLC0415

    original = FhirEndpoint.objects.select_related("approved_version").get(name="lamna-test")
    assert original.approved_version is not None  # noqa: S101 - the stack approved it
    snapshot: dict[str, Any] = json.loads(json.dumps(original.approved_version.snapshot))
    snapshot["endpoint"] |= {"base_url": BASE_URL, "provider_client_id": stub.CLIENT_ID}
    snapshot["smart"] = {
        "issuer": stub.ISSUER, "authorization_endpoint": f"{peers}/epic/authorize",
        "token_endpoint": f"{peers}/epic/token", "jwks_uri": f"{peers}/epic/keys",
    }  # fmt: skip
    made = FhirEndpoint.objects.create(
        organization=original.organization, name=f"bench-{uuid.uuid4().hex[:8]}", environment="test",
        base_url=BASE_URL, provider_client_id=stub.CLIENT_ID,
    )  # fmt: skip
    made.approved_version = ConfigurationVersion.objects.create(
        endpoint=made, number=1, snapshot=snapshot, digest=digest(snapshot), approved_at=timezone.now(),
        approved_by="bench",
    )  # fmt: skip
    made.save()
    return str(made.launch_id)


def watched(number: int) -> list[tuple[str, str]]:
    """Return visits that somebody launched, each with the cookie of its provider."""
    from django.core import signing  # noqa: PLC0415

    from launch.models import LaunchAttempt  # noqa: PLC0415

    attempts = LaunchAttempt.objects.filter(audience="provider", visit__isnull=False).order_by("-created_at")[:number]
    return [(str(attempt.visit_id), signing.dumps(str(attempt.pk), salt="launch.visit")) for attempt in attempts]


def round_trips(path: str, session_id: str) -> tuple[int, int]:
    """Return how many statements start and callback of a launch send, and how many times they commit a change.

    The launch before the one that is counted fetches what a process keeps: Epic's keys and Graph's token.

    :param session_id: of the visit that is launched.
    """
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    _launch_in(_browser(path), path, new_visit())
    browser = _browser(path)
    with CaptureQueriesContext(connection) as seen:
        _launch_in(browser, path, session_id)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_bare (id bigserial PRIMARY KEY, number integer)")
    return len(seen), commits(query["sql"] for query in seen.captured_queries)


def _browser(path: str) -> "Client":
    """Return a browser of this process that has seen the first page and has its cookie."""
    from django.test import Client  # noqa: PLC0415

    client = Client(SERVER_NAME=urlsplit(os.environ["PUBLIC_URL"]).hostname or "")
    client.get(path, _GIVEN, secure=True)
    return client


def _launch_in(browser: "Client", path: str, session_id: str) -> None:
    fields = fields_of(browser.post(path, _GIVEN, secure=True).content)
    given = {"state": fields["state"], "code": code_for(fields["nonce"], session_id)}
    browser.get(f"{path}/callback", given, secure=True)


def commits(statements: Iterable[str]) -> int:
    """Count how often something that was changed was committed; each statement outside a transaction commits."""
    found, is_inside, has_changed = 0, False, False
    for word in (statement.split(" ", 1)[0] for statement in statements):
        is_inside = (is_inside or word == "BEGIN") and word != "COMMIT"
        has_changed = has_changed or word in {"INSERT", "UPDATE", "DELETE"}
        if has_changed and not is_inside:
            found, has_changed = found + 1, False
    return found
