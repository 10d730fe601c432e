"""The recipes of the Epic analyst's guide, run as they stand there."""

import os
import re
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from django.conf import settings

from hl7intake.models import InboundMessage
from hl7intake.services.certificates import add_certificate
from hl7intake.trust import ServerIdentity
from tests.factories import make_endpoint
from tests.hl7intake.messages import NEW, change, load
from tests.hl7intake.mllp import listening
from tests.hl7intake.pki import make_identity
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
GUIDE = Path(settings.BASE_DIR) / "docs" / "epic-analyst-guide.md"
RECIPES = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@pytest.fixture
def connector(tmp_path):
    """A listener and, in ``tmp_path``, the files that the guide names."""
    endpoint = make_endpoint()
    engine, listener = make_identity("engine.lamna.example.org"), make_identity("mllp.lamna.example.org")
    engine.write(tmp_path, "engine")
    certificate, key = listener.write(tmp_path, "listener")
    (tmp_path / "appointment.hl7").write_bytes(load(NEW))
    add_certificate(endpoint, engine.pem, actor="dana.ortiz@lamna.example.org", now=datetime.now(UTC))
    with listening(identity=ServerIdentity(certificate_path=str(certificate), key_path=str(key))) as running:
        yield running


def recipe(word: str) -> str:
    found = [text for text in RECIPES if word in text]
    assert len(found) == 1
    return found[0]


def run(script: str, folder: Path, port: int, **variables: str) -> "subprocess.CompletedProcess[str]":
    tools = Path(sys.executable).parent
    return subprocess.run(  # noqa: S603 - from our own guide
        ["/bin/bash", "-u", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "CONNECTOR": "127.0.0.1",
            "PORT": str(port),
            "TUNNEL": str(_free_port()),
            "CURL_CA_BUNDLE": str(folder / "web.crt"),
            **variables,
        },
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_openssl_s_client_is_answered(connector, tmp_path):
    outcome = run(recipe("s_client"), tmp_path, connector.port)

    assert "MSA|AA|700000101" in outcome.stdout, outcome.stderr
    assert InboundMessage.objects.get().certificate is not None


def test_openssl_s_client_without_the_certificate_is_not(connector, tmp_path):
    outcome = run(recipe("s_client").replace("-cert engine.crt -key engine.key", ""), tmp_path, connector.port)

    assert "MSA" not in outcome.stdout
    assert not InboundMessage.objects.exists()


def test_python_hl7s_mllp_send_is_answered_through_a_tunnel(connector, tmp_path):
    if shutil.which("socat") is None:
        message = "No socat: as root, run apt-get install socat"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    outcome = run(recipe("mllp_send"), tmp_path, connector.port)

    assert "MSA|AA|700000101" in outcome.stdout, outcome.stderr
    assert InboundMessage.objects.get().certificate.subject == "CN=engine.lamna.example.org"


def test_the_connectors_own_client_is_answered(connector, tmp_path):
    script = recipe("send_hl7").replace("manage.py", str(Path(settings.BASE_DIR) / "manage.py"))
    outcome = run(script, tmp_path, connector.port)

    assert "appointment.hl7: AA 700000101" in outcome.stdout, outcome.stderr


OPERATIONS = Path(settings.BASE_DIR) / "docs" / "operations.md"
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def posting(tmp_path, live_server, settings):
    """A web process, an endpoint's engine, and a message of this very minute."""
    settings.HL7_PROXY_SECRET = SECRET
    endpoint = make_endpoint()
    engine = make_identity("engine.lamna.example.org")
    engine.write(tmp_path, "engine")
    now = datetime.now(UTC)
    (tmp_path / "appointment.hl7").write_bytes(change(load(NEW), ("MSH", 7, f"{now:%Y%m%d%H%M%S}+0000")))
    add_certificate(endpoint, engine.pem, actor="dana.ortiz@lamna.example.org", now=now)
    return f"/hl7/{endpoint.pk}"


@pytest.fixture
def proxy(tmp_path, live_server):
    """A real nginx with the configuration of the operations guide; returns its address."""
    program = "/usr/sbin/nginx"
    if not Path(program).exists():
        message = "No nginx: as root, run apt-get install nginx-light"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    port, name = _free_port(), x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate, key = make_identity("localhost", extensions=[name]).write(tmp_path, "web")
    server = re.search(r"```nginx\n(.*?)```", OPERATIONS.read_text(), re.DOTALL).group(1)
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/nginx/visits.crt", str(certificate)),
        ("/etc/nginx/visits.key", str(key)),
        ("http://127.0.0.1:8000", live_server.url),
        ("the value of HL7_PROXY_SECRET", SECRET),
    ):
        assert old in server
        server = server.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{server} }}\n"
    )
    running = subprocess.Popen([program, "-e", f"{tmp_path}/error.log", "-c", str(configuration)])  # noqa: S603 - ours
    try:
        until(lambda: _is_open(port))
        yield f"https://localhost:{port}"
    finally:
        running.terminate()
        running.wait(15)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_curl_with_the_registered_certificate_is_answered_behind_nginx(posting, proxy, tmp_path):
    outcome = run(recipe("--cert engine.crt --key engine.key \\\n  --header"), tmp_path, 0, HL7_URL=proxy + posting)

    assert "MSA|AA|700000101" in outcome.stdout, outcome.stderr
    message = InboundMessage.objects.get()
    assert (message.transport, message.certificate.subject) == ("https", "CN=engine.lamna.example.org")


@pytest.mark.parametrize("header", ["X-SSL-Client-Cert", "Client-Cert"])
def test_a_certificate_in_a_header_of_the_sender_counts_for_nothing_behind_nginx(posting, proxy, tmp_path, header):
    forged = quote((tmp_path / "engine.crt").read_text())
    script = recipe("--cert engine.crt --key engine.key \\\n  --header").replace(
        "--cert engine.crt --key engine.key",
        f"--write-out '%{{http_code}}' --header '{header}: {forged}' --header 'X-HL7-Proxy-Secret: {SECRET}'",
    )
    outcome = run(script, tmp_path, 0, HL7_URL=proxy + posting)

    assert outcome.stdout.endswith("401"), outcome.stderr
    assert not InboundMessage.objects.exists()


def test_curl_with_a_signature_is_answered(posting, live_server, tmp_path):
    outcome = run(recipe("HL7-Signature"), tmp_path, 0, HL7_URL=live_server.url + posting)

    assert "MSA|AA|700000101" in outcome.stdout, outcome.stderr
