import base64
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.core.management import call_command
from django.utils import timezone

from core.models import AuditEvent
from hl7intake.models import InboundMessage, SenderPassword
from hl7intake.reader import read
from hl7intake.services.certificates import add_certificate, revoke
from hl7intake.services.processing import apply_due
from tests.factories import make_endpoint
from tests.hl7intake.messages import NEW, change, load, without
from tests.hl7intake.pki import make_identity
from visits.models import Visit

pytestmark = pytest.mark.django_db

SECRET = "only-for-tests-0123456789-0123456789"
DAY = timedelta(days=1)


@pytest.fixture
def endpoint(db, settings):
    settings.HL7_PROXY_SECRET = SECRET
    return make_endpoint()


@pytest.fixture(scope="module")
def identity():
    return make_identity(key=rsa.generate_private_key(65537, 2048))


@pytest.fixture
def certificate(endpoint, identity):
    return add_certificate(endpoint, identity.pem, actor="dana", now=timezone.now())


@pytest.fixture
def fresh() -> bytes:
    """A message written just now."""
    return change(load(NEW), ("MSH", 7, f"{datetime.now(UTC):%Y%m%d%H%M%S}+0000"))


def post(client, endpoint, body, *, kind="application/hl7-v2+er7; charset=utf-8", **headers):
    return client.generic("POST", f"/hl7/{endpoint.pk}", body, content_type=kind, headers=headers)


def shown(identity, *, secret=SECRET) -> dict[str, str]:
    return {"Client-Cert": f":{base64.b64encode(identity.der).decode()}:", "X-HL7-Proxy-Secret": secret}


def code(response) -> str:
    return read(response.content).first("MSA").text(1)


def is_refused(response) -> bool:
    return response.status_code == 401 and not response.content and not InboundMessage.objects.exists()


# --- A certificate that the proxy verified ------------------------------------------------------------------


def test_a_message_with_a_registered_certificate_is_stored_and_answered(client, endpoint, certificate, identity):
    response = post(client, endpoint, load(NEW), **shown(identity))

    assert (response.status_code, code(response)) == (200, "AA")
    assert response["Content-Type"] == "application/hl7-v2+er7; charset=utf-8"
    row = InboundMessage.objects.get()
    assert (row.transport, row.certificate, row.endpoint) == ("https", certificate, endpoint)
    apply_due(now=timezone.now())
    assert Visit.objects.exists()


def test_the_escaped_form_of_nginx_is_understood(client, endpoint, certificate, identity):
    pem = quote(ssl.DER_cert_to_PEM_cert(identity.der))
    headers = {"X-SSL-Client-Cert": pem, "X-HL7-Proxy-Secret": SECRET}

    assert code(post(client, endpoint, load(NEW), **headers)) == "AA"


@pytest.mark.parametrize("secret", ["", "guess", SECRET + "x"])
def test_a_certificate_from_anybody_but_the_proxy_counts_for_nothing(client, endpoint, certificate, identity, secret):
    assert is_refused(post(client, endpoint, load(NEW), **shown(identity, secret=secret)))


def test_without_a_secret_of_the_operator_no_header_counts(client, endpoint, certificate, identity, settings):
    settings.HL7_PROXY_SECRET = ""
    assert is_refused(post(client, endpoint, load(NEW), **shown(identity, secret="")))


def test_unknown_foreign_and_revoked_certificates_are_refused_and_noted(client, endpoint, certificate, identity):
    stranger, elsewhere = make_identity(), make_endpoint()
    assert is_refused(post(client, endpoint, load(NEW), **shown(stranger)))
    assert is_refused(post(client, elsewhere, load(NEW), **shown(identity)))
    revoke(certificate, actor="dana", now=timezone.now())
    assert is_refused(post(client, endpoint, load(NEW), **shown(identity)))
    assert is_refused(post(client, endpoint, load(NEW), **{**shown(identity), "Client-Cert": "::x"}))
    assert AuditEvent.objects.filter(action="sender.refused").count() == 4


def test_an_address_that_is_nobodys_is_refused_like_any_other(client, endpoint, certificate, identity):
    response = client.post(
        "/hl7/00000000-0000-4000-8000-000000000000",
        load(NEW),
        content_type="application/hl7-v2",
        headers=shown(identity),
    )
    assert is_refused(response)


# --- A signature of the body --------------------------------------------------------------------------------


def raw_signature(key, body: bytes, *, algorithm=None) -> str:
    digest = algorithm or hashes.SHA256()
    if isinstance(key, rsa.RSAPrivateKey):
        made, name = key.sign(body, padding.PKCS1v15(), digest), f"{digest.name}withRSA"
    else:
        made, name = key.sign(body, ec.ECDSA(digest)), f"{digest.name}withECDSA"
    return f"{name.replace('sha', 'SHA')} {base64.b64encode(made).decode()}"


def cms_signature(identity, body: bytes, folder, *options: str) -> str:
    """Return a detached CMS signature as openssl makes it, an implementation that is not ours."""
    certificate, key = identity.write(folder, "signer")
    (folder / "body").write_bytes(body)
    command = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", str(folder / "body")]
    command += ["-signer", str(certificate), "-inkey", str(key), "-md", "sha256", *options]
    made = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - a fixed command
    return f"CMS {base64.b64encode(made).decode()}"


def test_raw_signatures_of_rsa_and_elliptic_keys_are_verified(client, endpoint, certificate, identity, fresh):
    curve = make_identity("second")
    add_certificate(endpoint, curve.pem, actor="dana", now=timezone.now())
    for number, (key, digest) in enumerate(((identity.key, hashes.SHA512()), (curve.key, hashes.SHA256()))):
        body = change(fresh, ("MSH", 10, f"N{number}"))
        response = post(client, endpoint, body, **{"HL7-Signature": raw_signature(key, body, algorithm=digest)})
        assert code(response) == "AA"
    assert InboundMessage.objects.filter(certificate=certificate).count() == 1


@pytest.mark.parametrize("options", [(), ("-noattr",), ("-nocerts",), ("-keyopt", "rsa_padding_mode:pss")])
def test_detached_cms_signatures_are_verified(client, endpoint, certificate, identity, fresh, tmp_path, options):
    signature = cms_signature(identity, fresh, tmp_path, *options)

    assert code(post(client, endpoint, fresh, **{"HL7-Signature": signature})) == "AA"


def test_what_is_not_signed_by_a_registered_key_is_refused(client, endpoint, certificate, identity, fresh, tmp_path):
    impostor = make_identity(
        identity.certificate.subject.rfc4514_string().removeprefix("CN="), key=rsa.generate_private_key(65537, 2048)
    )
    good = cms_signature(identity, fresh, tmp_path)
    other = change(fresh, ("SCH", 11, "^^^202701011200"))
    for body, signature in (
        (fresh, cms_signature(impostor, fresh, tmp_path)),  # brings its own certificate along
        (fresh, raw_signature(impostor.key, fresh)),
        (other, good),
        (other, raw_signature(identity.key, fresh)),
        (fresh[:-20], good),
        (fresh, good[:-40]),
        (fresh, good + "AAAA"),
        (fresh, "CMS"),
        (fresh, "CMS ####"),
        (fresh, "SHA1withRSA " + base64.b64encode(b"x" * 256).decode()),
        (fresh, "CMS " + base64.b64encode(b"\x30\x80" * 500).decode()),
        (fresh, "CMS " + "A" * 20_000),
    ):
        assert is_refused(post(client, endpoint, body, **{"HL7-Signature": signature})), signature[:20]
    assert is_refused(post(client, endpoint, fresh))


def test_a_recorded_message_cannot_be_played_back_later(client, endpoint, certificate, identity, settings):
    old = change(load(NEW), ("MSH", 7, f"{datetime.now(UTC) - 9 * DAY:%Y%m%d%H%M%S}+0000"))
    assert is_refused(post(client, endpoint, old, **{"HL7-Signature": raw_signature(identity.key, old)}))
    undated = change(load(NEW), ("MSH", 7, ""))
    assert is_refused(post(client, endpoint, undated, **{"HL7-Signature": raw_signature(identity.key, undated)}))


def test_a_signed_message_sent_again_is_a_duplicate(client, endpoint, certificate, identity, fresh):
    headers = {"HL7-Signature": raw_signature(identity.key, fresh)}
    assert [code(post(client, endpoint, fresh, **headers)) for _ in range(2)] == ["AA", "AA"]
    assert InboundMessage.objects.get().deliveries == 2


# --- Passwords, types, sizes --------------------------------------------------------------------------------


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def test_a_password_is_asked_for_besides_where_one_is_set(client, endpoint, certificate, identity):
    printed = StringIO()
    name = f"{endpoint.organization.slug}/{endpoint.name}"
    call_command("set_hl7_password", name, stdout=printed)
    right = printed.getvalue().strip()
    assert right.partition(":")[2] not in SenderPassword.objects.get().password_index

    for wrong in ({}, basic("epic:guess"), basic("other" + right), {"Authorization": "Basic ?"}):
        refused = post(client, endpoint, load(NEW), **shown(identity), **wrong)
        assert is_refused(refused)
        assert refused["WWW-Authenticate"] == 'Basic realm="HL7"'
    assert is_refused(post(client, endpoint, load(NEW), **basic(right)))
    assert code(post(client, endpoint, load(NEW), **shown(identity), **basic(right))) == "AA"
    call_command("set_hl7_password", name, "--remove", stdout=printed)
    assert code(post(client, endpoint, load(NEW), **shown(identity))) == "AA"


@pytest.mark.parametrize("kind", ["application/hl7-v2", "x-application/hl7-v2+er7", "text/plain; charset=us-ascii"])
def test_every_content_type_in_use_is_taken_and_given_back(client, endpoint, certificate, identity, kind):
    response = post(client, endpoint, load(NEW), kind=kind, **shown(identity))
    assert code(response) == "AA"
    assert response["Content-Type"].startswith(kind.partition(";")[0])


def test_other_requests_are_refused_unread(client, endpoint, certificate, identity, settings):
    assert post(client, endpoint, b"{}", kind="application/json", **shown(identity)).status_code == 415
    assert client.get(f"/hl7/{endpoint.pk}").status_code == 405
    settings.HL7_MESSAGE_BYTES = 500
    assert post(client, endpoint, load(NEW), **shown(identity)).status_code == 413
    assert not InboundMessage.objects.exists()


def test_refusals_of_a_message_travel_with_status_200(client, endpoint, certificate, identity):
    for raw, wanted in (
        (b"hello", "AR"),
        (load(NEW).replace(b"RIVERA", b"R\0VERA"), "AR"),
        (without(change(load(NEW), ("SCH", 11, "")), "AIS", "AIP"), "AE"),
    ):
        response = post(client, endpoint, raw, **shown(identity))
        assert (response.status_code, code(response)) == (200, wanted)


def test_the_charset_of_the_transport_wins(client, endpoint, certificate, identity):
    raw = change(load(NEW), ("MSH", 18, "UNICODE UTF-8"), ("MSH", 4, "LÁMNA")).decode().encode("latin-1")
    response = post(client, endpoint, raw, kind="application/hl7-v2; charset=iso-8859-1", **shown(identity))

    assert code(response) == "AA"
    row = InboundMessage.objects.get()
    assert (row.charset, row.sending_facility) == ("iso8859-1", "LÁMNA")


def test_a_batch_is_answered_by_a_batch(client, endpoint, certificate, identity):
    first, second = load(NEW), change(load(NEW), ("MSH", 10, "B2"), ("MSH", 9, "SIU^Z02"))
    batch = b"FHS|^~\\&|EPIC|LAMNA|X|Y|||||F1\rBHS|^~\\&|EPIC|LAMNA|X|Y|||||B1\r" + first + second + b"BTS|2\rFTS|1\r"
    response = post(client, endpoint, batch, **shown(identity))

    lines = response.content.decode().rstrip("\r").split("\r")
    assert [line[:3] for line in lines] == ["FHS", "BHS", "MSH", "MSA", "MSH", "MSA", "ERR", "BTS", "FTS"]
    assert lines[1].split("|")[11] == "B1"
    assert [line.split("|")[1] for line in lines if line.startswith("MSA")] == ["AA", "AR"]
    assert lines[-2:] == ["BTS|2", "FTS|1"]
