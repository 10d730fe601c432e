import datetime as dt
import socket
import ssl
import stat
import threading

from ehrconnector.stack.certificates import ensure_certificates

NOW = dt.datetime.now(dt.UTC)


def test_listener_and_sender_prove_themselves_to_each_other(tmp_path):
    ensure_certificates(tmp_path, now=NOW)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "listener.crt", tmp_path / "listener.key")
    server.load_verify_locations(tmp_path / "bridges.crt")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(tmp_path / "listener.crt"))
    client.load_cert_chain(tmp_path / "bridges.crt", tmp_path / "bridges.key")
    near, far = socket.socketpair()
    subjects = []

    def serve() -> None:
        with server.wrap_socket(far, server_side=True) as connection:
            subjects.append((connection.getpeercert() or {})["subject"])
            connection.sendall(b"AA")

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(near, server_hostname="127.0.0.1") as connection:
        assert connection.recv(2) == b"AA"
    thread.join()
    assert (("commonName", "Lamna Healthcare Bridges"),) in subjects[0]


def test_certificates_are_kept_until_they_are_about_to_end(tmp_path):
    ensure_certificates(tmp_path, now=NOW)
    first = (tmp_path / "listener.crt").read_bytes()
    ensure_certificates(tmp_path, now=NOW + dt.timedelta(days=300))
    assert (tmp_path / "listener.crt").read_bytes() == first
    ensure_certificates(tmp_path, now=NOW + dt.timedelta(days=360))
    assert (tmp_path / "listener.crt").read_bytes() != first


def test_keys_are_readable_by_us_only(tmp_path):
    ensure_certificates(tmp_path, now=NOW)
    assert stat.S_IMODE((tmp_path / "bridges.key").stat().st_mode) == 0o600
