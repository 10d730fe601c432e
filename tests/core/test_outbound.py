import gzip
import ipaddress
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import pytest
import requests
import time_machine

from core import http, outbound
from core.errors import ConfigurationError, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from core.outbound import OutboundPolicy

STRICT = OutboundPolicy()
LOOPBACK = OutboundPolicy.parse(["127.0.0.0/8"], allow_http=True)

NOT_PUBLIC = [
    "0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "168.63.129.16", "169.254.169.254", "172.16.0.1", "192.0.0.8",
    "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "fc00::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_leads_inside_is_not_public(address):
    assert not outbound.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["20.190.128.1", "2603:1000::1"])
def test_an_address_on_the_internet_is_public(address):
    assert outbound.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "017700000001", "0", "localhost"]
)
def test_other_spellings_of_loopback_are_refused(host):
    with pytest.raises(ConfigurationError, match=r"http\.address_refused"):
        outbound.open_socket(host, 443, is_https=True, policy=STRICT, timeout=1)


def test_a_public_address_on_another_port_is_refused():
    with pytest.raises(ConfigurationError):
        STRICT.check(ipaddress.ip_address("20.190.128.1"), port=8443, is_https=True)


def test_plain_http_is_refused_even_to_a_public_address():
    policy = OutboundPolicy.parse(["127.0.0.0/8"], allow_http=True)
    with pytest.raises(ConfigurationError, match="not_https"):
        policy.check(ipaddress.ip_address("20.190.128.1"), port=443, is_https=False)


def test_a_resolver_that_changes_its_mind_gains_nothing(monkeypatch, server):
    answers = iter(["20.190.128.1", "127.0.0.1"])

    def resolve(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    dialled = []
    monkeypatch.setattr(outbound.socket.socket, "connect", lambda _self, target: dialled.append(target))
    connection = outbound.open_socket("rebinding.example.org", 443, is_https=True, policy=STRICT, timeout=1)
    connection.close()
    assert dialled == [("20.190.128.1", 443)]


def test_a_name_with_one_address_inside_is_not_dialled_at_all(monkeypatch):
    def resolve(host, port, **_):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("20.190.128.1", "127.0.0.1")
        ]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(outbound.socket.socket, "connect", lambda *_: pytest.fail("dialled"))
    with pytest.raises(ConfigurationError, match=r"http\.address_refused"):
        outbound.open_socket("both.example.org", 443, is_https=True, policy=STRICT, timeout=1)


class Peer(BaseHTTPRequestHandler):
    hits: list[str] = []

    def do_GET(self):
        Peer.hits.append(self.path)
        getattr(self, f"answer_{self.path.strip('/').partition('?')[0]}")()

    def answer_redirect(self):
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        self.end_headers()

    def answer_large(self):
        self.send_response(200)
        self.end_headers()
        try:
            self.wfile.write(b"x" * 5_000_000)
        except OSError:
            self.close_connection = True  # the client hung up, as it should

    def answer_drip(self):
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.stopping.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            self.close_connection = True

    def answer_zipped(self):
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(gzip.compress(b"0" * 50_000_000))

    def answer_busy(self):
        self.send_response(429)
        self.send_header("Retry-After", "7")
        self.end_headers()

    def answer_hangup(self):
        self.close_connection = True

    def answer_list(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[1]")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    Peer.hits = []
    peer = HTTPServer(("127.0.0.1", 0), Peer)
    peer.stopping = threading.Event()
    thread = threading.Thread(target=peer.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{peer.server_port}"
    peer.stopping.set()
    peer.shutdown()
    thread.join()
    peer.server_close()


@pytest.fixture
def keeping(settings):
    """A peer that keeps its connections, and counts those it is dialled on."""

    class Keeping(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        dialled: list[int] = []

        def setup(self):
            super().setup()
            self.dialled.append(1)

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_):
            pass

    settings.OUTBOUND_ALLOWED_NETWORKS, settings.OUTBOUND_ALLOW_HTTP = ["127.0.0.0/8"], True
    peer = ThreadingHTTPServer(("127.0.0.1", 0), Keeping)
    thread = threading.Thread(target=peer.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{peer.server_port}", Keeping.dialled
    http.close_shared()
    peer.shutdown()
    thread.join()
    peer.server_close()


def call_in_a_thread(url):
    """Make a call as a web request does: in a thread and a session of its own."""

    def make():
        with http.shared_session() as session:
            assert http.send(session, "GET", url, system="peer").json() == []

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()


def test_requests_one_after_another_share_a_connection(keeping):
    url, dialled = keeping
    for _ in range(3):
        call_in_a_thread(url)
    assert len(dialled) == 1


def test_a_connection_that_was_idle_for_long_is_not_used_again(keeping, monkeypatch):
    url, dialled = keeping
    call_in_a_thread(url)
    monkeypatch.setattr(http, "IDLE_SECONDS", -1.0)
    call_in_a_thread(url)
    assert len(dialled) == 2


def test_shared_connections_obey_what_the_operator_allows(keeping, settings):
    url, dialled = keeping
    call_in_a_thread(url)
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with http.shared_session() as session, pytest.raises(ConfigurationError, match=r"http\.address_refused"):
        http.send(session, "GET", url, system="peer")
    assert len(dialled) == 1


def get(url, policy=LOOPBACK):
    session = http.build_session(policy)
    try:
        return http.send(session, "GET", url, system="peer")
    finally:
        session.close()


def test_the_guard_stands_in_the_connection_itself(server):
    with pytest.raises(ConfigurationError):
        get(f"{server}/list", policy=STRICT)
    assert Peer.hits == []


def test_what_the_operator_allows_is_dialled(server):
    assert get(f"{server}/list", policy=OutboundPolicy.parse(["127.0.0.1/32"], allow_http=True)).json() == [1]
    with pytest.raises(ConfigurationError):
        get(f"{server}/list", policy=OutboundPolicy.parse(["127.0.0.2/32"], allow_http=True))
    assert Peer.hits == ["/list"]


def test_a_name_that_comes_to_lead_inside_is_never_dialled_there(server, monkeypatch):
    """First it leads to a public address, where nobody answers in time, then to a server of this machine."""
    port, answers = int(server.rpartition(":")[2]), iter(["203.0.114.1", *["127.0.0.1"] * 9])

    def resolve(host, wanted, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), wanted))]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    session = http.build_session(OutboundPolicy.parse(["203.0.114.0/24"], allow_http=True))
    try:
        with pytest.raises(UpstreamUnavailable):
            http.send(session, "GET", f"http://rebinding.example.org:{port}/list", system="peer", timeout=(0.2, 1))
        for _ in range(5):
            with pytest.raises(ConfigurationError, match=r"http\.address_refused"):
                http.send(session, "GET", f"http://rebinding.example.org:{port}/list", system="peer")
    finally:
        session.close()
    assert Peer.hits == []


def test_a_redirect_is_not_followed(server):
    assert get(f"{server}/redirect").status_code == 302
    assert Peer.hits == ["/redirect"]


@pytest.mark.parametrize("body", ["large", "zipped"])
def test_a_body_that_is_too_large_is_not_read_to_its_end(server, body):
    with pytest.raises(OutcomeUnknown, match=r"peer\.too_large"):
        get(f"{server}/{body}")


def test_a_body_that_drips_is_given_up_on_in_time(server, monkeypatch):
    monkeypatch.setattr(http, "WHOLE_SECONDS", 0.3)
    with pytest.raises(OutcomeUnknown, match=r"peer\.too_slow"):
        get(f"{server}/drip")


def test_an_answer_that_never_comes_leaves_the_outcome_unknown(server):
    with pytest.raises(OutcomeUnknown, match=r"peer\.no_answer"):
        get(f"{server}/hangup")


def test_a_closed_port_means_that_nothing_was_sent():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(UpstreamUnavailable, match=r"peer\.unreachable"):
        get(f"http://127.0.0.1:{port}/")


def test_an_unknown_name_means_that_nothing_was_sent():
    with pytest.raises(UpstreamUnavailable, match=r"peer\.unreachable"):
        get("http://nowhere.invalid/")


def test_throttling_tells_how_long_to_wait(server):
    with pytest.raises(UpstreamUnavailable) as caught:
        http.raise_for_status(get(f"{server}/busy"), system="peer")
    assert caught.value.retry_after == 7


def test_a_body_that_is_no_object_is_refused(server):
    with pytest.raises(UpstreamRejected, match=r"peer\.not_json"):
        http.json_object(get(f"{server}/list"), system="peer")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Tue, 24 Nov 2026 15:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 14:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_how_long_to_wait_is_a_number_or_a_date(header, seconds):
    response = requests.Response()
    response.status_code, response.headers["Retry-After"] = 429, header
    with (
        time_machine.travel("2026-11-24T15:00:00Z", tick=False),
        pytest.raises(UpstreamUnavailable) as caught,
    ):
        http.raise_for_status(response, system="graph")
    assert caught.value.retry_after == seconds
