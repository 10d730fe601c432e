import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from core.private_keys import MOST_KEYS, load_private_key


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    "make", [lambda: rsa.generate_private_key(65537, 2048), lambda: ec.generate_private_key(ec.SECP384R1())]
)
def test_a_key_is_read_once_and_a_rotated_one_is_another(make):
    old, new = make(), make()
    kept = load_private_key(pem_of(old))
    assert load_private_key(pem_of(old)) is kept
    assert load_private_key(pem_of(new)).private_numbers() == new.private_numbers()
    assert kept.private_numbers() == old.private_numbers()


def test_old_keys_are_forgotten():
    first = pem_of(ec.generate_private_key(ec.SECP256R1()))
    kept = load_private_key(first)
    for _ in range(MOST_KEYS):
        load_private_key(pem_of(ec.generate_private_key(ec.SECP256R1())))
    assert load_private_key(first) is not kept


@pytest.mark.parametrize("pem", ["", "nonsense", pem_of(ed25519.Ed25519PrivateKey.generate())])
def test_what_cannot_sign_for_us_is_refused(pem):
    with pytest.raises(ValueError, match=r".+"):
        load_private_key(pem)
