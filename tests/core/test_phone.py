import pytest

from core import phone


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("(608)555-0177", "US", "+16085550177"),
        ("608.555.0177 ", "US", "+16085550177"),
        ("+1 608 555 0177", "GB", "+16085550177"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("271-9000", "US", None),
        ("", "US", None),
        ("call me", "US", None),
        ("1" * 40, "US", None),
    ],
)
def test_numbers_become_e164_or_nothing(raw, region, expected):
    assert phone.to_e164(raw, region=region) == expected


def test_only_two_digits_are_shown():
    assert phone.mask("+16085550177") == "number ending 77"
