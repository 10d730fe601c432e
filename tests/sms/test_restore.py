"""A dump that was taken days ago is restored: the audit chain holds, and no reminder of the past is sent."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from core import audit
from ehrconnector.stack import children
from ehrconnector.stack.databases import drop_database, ensure_database, with_database
from sms.models import SmsMessage
from tests.factories import make_visit

pytestmark = pytest.mark.django_db(transaction=True)
SEND = (
    "import django; django.setup(); from core import scope; scope.use_for_process(scope.of_platform('test'));"
    " from django.utils import timezone; from sms.services import sending;"
    " sending.deliver_due(now=timezone.now())"
)


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="needs PostgreSQL's own pg_dump")
def test_after_a_restore_the_chain_holds_and_the_past_stays_silent(acs):
    visit = make_visit(starts_at=timezone.now() + timedelta(days=3))
    audit.record("test.happened", organization_id=visit.organization_id)
    ago = timezone.now() - timedelta(days=2)
    SmsMessage.objects.update(due_at=ago, expires_at=ago + timedelta(hours=12))
    dumped = with_database(os.environ["DATABASE_URL"], connection.settings_dict["NAME"])
    restored = with_database(os.environ["DATABASE_URL"], f"{connection.settings_dict['NAME']}_restored")
    drop_database(restored)
    ensure_database(restored)
    try:
        dump = subprocess.run(["pg_dump", "--no-owner", dumped], capture_output=True, check=True).stdout  # noqa: S603, S607 - ours
        subprocess.run(["psql", "--quiet", restored], input=dump, capture_output=True, check=True)  # noqa: S603, S607 - ours
        env = {**os.environ, "DATABASE_URL": restored, "DJANGO_SETTINGS_MODULE": "ehrconnector.settings"}
        env["ACS_ENDPOINT"] = acs.url
        verified = subprocess.run(  # noqa: S603 - ours
            children.manage("verify_audit"), env=env, cwd=children.PROJECT, capture_output=True, text=True, check=False
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr
        subprocess.run([sys.executable, "-c", SEND], env=env, cwd=children.PROJECT, check=True)  # noqa: S603 - ours
        with psycopg.connect(restored) as own:
            states = own.execute("SELECT DISTINCT state FROM sms_smsmessage").fetchall()
        assert states == [("expired",)]
        assert acs.calls == []
    finally:
        drop_database(restored)
