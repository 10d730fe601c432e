import json

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
