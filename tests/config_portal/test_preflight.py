"""The pre-flight check: lines side by side, kept as rows, the same on the page and in the terminal."""

import json
import threading

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from config_portal import doctor
from config_portal.checks import address, keys
from config_portal.doctor import CheckContext, SetupCheck, passed
from config_portal.models import PreflightRun, SigningKey
from config_portal.services import preflight
from config_portal.services.checking import run_checks
from core.errors import UpstreamUnavailable
from core.models import AuditEvent
from tests.config_portal.epic import FHIR, answer_as_epic
from tests.epic.peer import Peer
from tests.factories import make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def epic():
    server = Peer()
    answer_as_epic(server)
    yield server
    server.close()


@pytest.fixture
def endpoint(epic):
    return make_endpoint(base_url=f"{epic.url}{FHIR}", approved=False)


@pytest.fixture
def only(monkeypatch):
    """Let nothing but these lines be registered."""

    def use(*checks):
        monkeypatch.setattr(doctor, "_checks", {check.name: check for check in checks})

    return use


def line(name, run, **values):
    return SetupCheck(name=name, title=name.title(), order=1, run=run, **values)


def fine(_context):
    return passed("Fine.")


def request(endpoint, **inputs):
    return preflight.request_preflight(endpoint, inputs=inputs, actor="avery", now=timezone.now())


def carried_out(endpoint, **inputs):
    run = request(endpoint, **inputs)
    assert preflight.run_preflight(run.pk, clock=timezone.now)
    run.refresh_from_db()
    return run


def states(run):
    return dict(run.lines.values_list("name", "state"))


def test_lines_run_at_the_same_time(endpoint, only):
    together = threading.Barrier(5, timeout=10)

    def meet(_context):
        together.wait()
        return passed("All five were here at once.")

    only(*(line(f"line-{number}", meet) for number in range(5)))
    assert carried_out(endpoint).passed == 5


def test_a_check_that_breaks_is_one_failed_line(endpoint, only):
    only(line("broken", lambda _context: 1 / 0), line("fine", fine))
    run = carried_out(endpoint)
    assert states(run) == {"broken": "failed", "fine": "passed"}
    assert run.lines.get(name="broken").code == "preflight.broken"


def test_an_error_becomes_cause_person_and_remedy(endpoint, only):
    def away(_context):
        raise UpstreamUnavailable("epic.unreachable")

    only(line("away", away))
    found = carried_out(endpoint).lines.get()
    assert (found.cause, found.who) == ("No connection to Epic.", "Network team")
    assert "443" in found.todo


def test_what_several_need_is_asked_once(endpoint, epic):
    context = CheckContext(endpoint=endpoint, now=timezone.now())
    list(run_checks(context, [*address.CHECKS, *keys.CHECKS]))
    assert len(epic.calls(f"{FHIR}/.well-known/smart-configuration")) == 1


def test_all_lines_against_an_epic_that_is_right(endpoint, epic, only):
    epic.replace("/oauth2/token", {"access_token": "t", "expires_in": 3600, "token_type": "bearer"})
    only(
        *(check for check in (*address.CHECKS, *keys.CHECKS) if check.name not in {"published-keys", "token-endpoint"})
    )
    run = carried_out(endpoint)
    assert set(states(run).values()) == {"passed"}
    endpoint.refresh_from_db()
    assert endpoint.discovered["server"]["software"] == "Epic May 2026"
    assert SigningKey.objects.filter(purpose__startswith="smart", confirmed_at=None).count() == 0


def test_keys_that_epic_does_not_know_yet_say_how_long_it_may_take(endpoint, only):
    only(*keys.CHECKS)
    found = carried_out(endpoint).lines.get(name="keys-in-epic")
    assert found.state == "failed"
    assert "RS384 and ES384" in found.cause
    assert "up to 24 hours" in found.todo
    assert found.link == reverse("portal:keys")


def test_asking_while_a_check_runs_gives_the_same_run(endpoint, only):
    only(line("fine", fine))
    assert request(endpoint) == request(endpoint)
    assert PreflightRun.objects.count() == 1


def test_a_run_is_carried_out_by_one_worker_and_taken_over_when_that_dies(endpoint, only):
    only(line("fine", fine))
    run = request(endpoint)
    now = timezone.now()
    assert preflight.unfinished_runs(now=now) == [run.pk]
    assert preflight.claim_own(run, now=now)
    assert preflight.claim_own(run, now=now) is None
    assert preflight.unfinished_runs(now=now) == []
    later = now + preflight.LEASE
    assert preflight.unfinished_runs(now=later) == [run.pk]
    assert preflight.run_preflight(run.pk, clock=lambda: later)


def test_what_was_pasted_is_encrypted_and_wiped_at_the_end(endpoint, only):
    seen = []

    def look(context):
        seen.append(context.inputs["test_link"])
        return passed("Seen.")

    only(line("link", look, needs_input="test_link"))
    run = request(endpoint, test_link="https://connector.example.org/launch/x")
    stored = PreflightRun.objects.filter(pk=run.pk).values_list("inputs", flat=True).get()
    assert b"launch" not in bytes(stored)
    preflight.run_preflight(run.pk, clock=timezone.now)
    run.refresh_from_db()
    assert seen == ["https://connector.example.org/launch/x"]
    assert run.inputs is None
    assert "launch/x" not in json.dumps(list(AuditEvent.objects.values_list("data", flat=True)))


def test_a_line_without_its_input_is_left_out(endpoint, only):
    only(line("link", fine, needs_input="test_link"), line("fine", fine))
    assert states(carried_out(endpoint)) == {"fine": "passed"}


class TestPage:
    """The same, watched in the portal."""

    @pytest.fixture
    def staff(self, client, endpoint):
        client.force_login(make_staff(endpoint.organization, Role.ANALYST))
        return client

    def test_it_refreshes_while_something_may_change(self, staff, endpoint, only):
        only(line("fine", fine))
        url = reverse("portal:preflight", args=[endpoint.pk])
        run = request(endpoint)
        assert 'hx-trigger="every 1s"' in staff.get(url).content.decode()
        preflight.run_preflight(run.pk, clock=timezone.now)
        part = staff.get(url, headers={"HX-Request": "true"}).content.decode()
        assert "All 1 passed" in part
        assert "hx-trigger" not in part
        assert "<html" not in part

    def test_a_later_edit_makes_the_result_stale(self, staff, endpoint, only):
        only(line("fine", fine))
        carried_out(endpoint)
        url = reverse("portal:preflight", args=[endpoint.pk])
        assert "was changed after this check" not in staff.get(url).content.decode()
        endpoint.visit_types = ["VV99"]
        endpoint.save()
        assert "was changed after this check" in staff.get(url).content.decode()

    def test_a_link_of_somebody_else_is_refused_before_anything_runs(self, staff, endpoint):
        url = reverse("portal:preflight_start", args=[endpoint.pk])
        page = staff.post(url, {"test_link": "https://elsewhere.example.org/launch"}).content.decode()
        assert "no launch link of this connector" in page
        assert not PreflightRun.objects.exists()

    def test_foreign_addresses_cannot_be_checked(self, staff):
        foreign = make_endpoint(make_organization(name="Tailspin"), base_url="https://t.example.org/api/FHIR/R4")
        assert staff.post(reverse("portal:preflight_start", args=[foreign.pk])).status_code == 404


class TestDoctor:
    """The same in the terminal."""

    def name(self, endpoint):
        return f"{endpoint.organization.slug}/{endpoint.name}"

    def test_status_0_when_everything_passed(self, endpoint, only, capsys):
        only(line("fine", fine))
        call_command("doctor", "--endpoint", self.name(endpoint))
        assert "1 passed, 0 failed" in capsys.readouterr().out

    def test_status_1_and_json_when_something_failed(self, endpoint, only, capsys):
        only(line("broken", lambda _context: 1 / 0), line("fine", fine))
        with pytest.raises(SystemExit) as ended:
            call_command("doctor", "--endpoint", self.name(endpoint), "--json")
        assert ended.value.code == 1
        said = json.loads(capsys.readouterr().out)
        assert (said["passed"], said["failed"]) == (1, 1)
        assert {check["name"]: check["state"] for check in said["checks"]} == {"broken": "failed", "fine": "passed"}

    def test_an_unknown_endpoint_is_answered_with_those_that_exist(self, endpoint):
        with pytest.raises(CommandError, match=endpoint.name):
            call_command("doctor", "--endpoint", "lamna/nowhere")
