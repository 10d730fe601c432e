import http.server
import threading

import pytest

from ehrconnector.stack.errors import StackError
from ehrconnector.stack.health import Probe
from ehrconnector.stack.ports import LOOPBACK, free_port
from ehrconnector.stack.supervisor import Supervisor
from tests.stack.programs import shell


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def half_ready():
    """A health page on which the worker does not work."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b'{"ready": false, "parts": {"database": true, "worker": false}}')

        def log_message(self, *_):
            """Stay quiet."""

    with http.server.HTTPServer((LOOPBACK, 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_crashed_child_is_started_again(supervisor, tmp_path):
    again = threading.Event()
    mark = tmp_path / "second"
    supervisor = Supervisor(tmp_path, echo=lambda line: again.set() if "second run" in line else None)
    supervisor.start(shell(f"if [ -e {mark} ]; then echo second run; exec sleep 30; fi; touch {mark}; exit 7"))
    try:
        assert again.wait(10)
    finally:
        supervisor.stop()
    log = (tmp_path / "child.log").read_text()
    assert "child ended with status 7; starting it again in 1 s" in log


def test_a_child_that_keeps_crashing_ends_the_wait_with_its_last_words(supervisor, monkeypatch):
    monkeypatch.setattr("ehrconnector.stack.supervisor.LONGEST_PAUSE", 0.01)
    supervisor.start(shell("echo no such table; exit 1", name="web"))
    probe = Probe(name="web", port=free_port(), path="/readyz")
    with pytest.raises(StackError, match=r"(?s)Not healthy: web: no answer on port .*web\.log.*no such table"):
        supervisor.wait_healthy(probe, seconds=20)


def test_what_is_not_healthy_in_time_is_named(supervisor, half_ready):
    probe = Probe(name="web", port=half_ready, path="/readyz")
    with pytest.raises(StackError, match="status 503, not working: worker"):
        supervisor.wait_healthy(probe, seconds=0.3)


def test_stopping_while_a_child_waits_for_its_restart_does_not_wait_for_it(supervisor):
    supervisor.start(shell("exit 1"))
    assert supervisor.children[0].process
    supervisor.children[0].process.wait(10)
    supervisor.stop()


def test_logs_of_the_run_before_are_kept_once(tmp_path):
    for word in ("first", "second", "third"):
        supervisor = Supervisor(tmp_path)
        supervisor.start(shell(f"echo {word}; exec sleep 30", name="web", ready_line=word))
        assert supervisor.children[0].process
        assert supervisor.children[0].process.wait_ready(10)
        supervisor.stop()
    assert (tmp_path / "web.log").read_text() == "third\n"
    assert (tmp_path / "web.log.1").read_text() == "second\n"
