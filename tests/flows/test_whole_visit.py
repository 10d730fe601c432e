import json
import re

import pytest

from ehrconnector.visit_player.script import STEPS

pytestmark = pytest.mark.xdist_group("stack")


def test_one_visit_from_epics_message_to_epics_record(stack):
    played = stack.manage("play_visit", "--json")
    visit = json.loads(played.stdout)
    assert visit["failure"] == ""
    assert played.returncode == 0
    assert [step["name"] for step in visit["steps"]] == [*(name for name, _ in STEPS), "The visit is in the report"]
    told = [line["what"] for line in visit["timeline"]]
    for what in ("Appointment received", "Confirmation text", "Patient 1 entered the lobby", "Provider 1 connected"):
        assert any(line.startswith(what) for line in told), what
    assert sum(line.startswith("Epic told") for line in told) == 4


def test_the_timeline_is_printed_for_people(stack):
    played = stack.manage("play_visit")
    assert played.returncode == 0, played.stdout
    assert "ok" in played.stdout
    assert "Timeline of visit" in played.stdout


def test_a_step_that_fails_is_named_and_the_exit_status_says_so(stack, twin):
    twin.set_faults({"epic.token": "invalid_client"})
    played = stack.manage("play_visit", "--json")
    assert played.returncode == 1
    assert json.loads(played.stdout)["failure"].startswith("The provider launches from Epic: ")


def test_nothing_of_the_patient_is_in_logs_or_queues(stack, redis_client):
    stack.manage("play_visit")
    logs = "".join(path.read_text() for path in stack.log.glob("*.log") if path.name != "sandbox.log")
    for secret in ("5550177", "RIVERA", "Rivera", "E40021877", "eX.rivera"):
        assert secret not in logs, secret
    assert not re.search(r"/j/[\w-]{2}", logs)  # a link's key; a hyphen stands for one that was taken out
    queued = b"".join(redis_client.dump(key) or b"" for key in redis_client.scan_iter())
    assert b"5550177" not in queued
