"""A disk that is full: messages are answered AE, the status page turns red, and all is well once there is room."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from django.db import connection

from core import heartbeat
from core.health import readiness
from hl7intake.framing import frame
from hl7intake.models import InboundMessage
from tests.hl7intake.mllp import Peer, code, eventually, listening, numbered
from tests.hl7intake.pki import client_context

pytestmark = pytest.mark.django_db(transaction=True)
_TABLE = "hl7intake_inboundmessage"


def _execute(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0]) if cursor.description else ""


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of four megabytes on which the table of messages lies."""
    data = Path(_execute("SHOW data_directory"))
    if os.geteuid() != 0 or not data.is_dir():
        pytest.skip("needs root, and a database server on this machine")
    disk = Path(tempfile.mkdtemp(prefix="small-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "small-disk", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603 - fixed words
        disk.rmdir()
        pytest.skip("no file system may be mounted here")
    try:
        place = disk / "tables"
        place.mkdir(mode=0o700)
        os.chown(place, data.stat().st_uid, data.stat().st_gid)
        _execute(f"CREATE TABLESPACE small_disk LOCATION '{place}'")
        _execute(f"ALTER TABLE {_TABLE} SET TABLESPACE small_disk")
        yield disk
        _execute(f"ALTER TABLE {_TABLE} SET TABLESPACE pg_default")
        _execute("DROP TABLESPACE small_disk")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # noqa: S603, S607 - fixed words
        disk.rmdir()


def _fill(file: Path) -> None:
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as filler:
        while True:
            filler.write(b"\0" * 4096)


def test_a_full_disk_is_answered_with_a_request_to_send_again_until_there_is_room(
    small_disk, server, bridges, tmp_path, monkeypatch
):
    monkeypatch.setattr(heartbeat, "STALE_AFTER", timedelta(seconds=2))
    accepted: set[str] = set()
    with (
        listening(identity=server, tick_seconds=0.1, call_workers=lambda: True) as running,
        Peer(running.port, client_context(bridges, tmp_path), timeout=30.0) as peer,
    ):

        def send(number: int) -> str:
            peer.send(frame(numbered(number)))
            answer, control_id = code(peer.answer())
            if answer == "AA":
                accepted.add(control_id)
            return answer

        assert send(0) == "AA"
        assert eventually(lambda: heartbeat.is_alive(heartbeat.MLLP, now=datetime.now(UTC)), seconds=20)
        _fill(small_disk / "filler")
        refused = next(number for number in count(1) if send(number) != "AA")
        assert [send(number) for number in range(refused, refused + 3)] == ["AE"] * 3
        assert eventually(lambda: not readiness()["mllp"], seconds=20)

        (small_disk / "filler").unlink()
        assert [send(number) for number in range(refused, refused + 3)] == ["AA"] * 3
        assert eventually(lambda: readiness()["mllp"], seconds=20)

    assert set(InboundMessage.objects.values_list("control_id", flat=True)) == accepted
