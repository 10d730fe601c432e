import pytest

from core.errors import ConfigurationError
from epic.base_url import check_base_url, is_same_base_url

BASE = "https://fhir.lamna.example.org/interconnect/api/FHIR/R4"


@pytest.mark.parametrize("version", ["R4", "STU3", "DSTU2"])
def test_every_fhir_version_of_epic_is_a_right_ending(version):
    assert check_base_url(f"https://fhir.lamna.example.org/api/FHIR/{version}/").endswith(f"/api/FHIR/{version}")


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("", "/api/FHIR followed by /R4"),
        ("/interconnect", "/api/FHIR followed by /R4"),
        ("/interconnect/api/FHIR", "add /R4"),
        ("/interconnect/api/FHIR/", "add /R4"),
        ("/interconnect/api/fhir/r4", "Upper and lower case"),
        ("/interconnect/api/FHIR/R4/metadata", "goes on after"),
        ("/interconnect/api/FHIR/R5", "/api/FHIR followed by /R4"),
    ],
)
def test_an_incomplete_address_is_refused_and_the_missing_part_named(path, named):
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(f"https://fhir.lamna.example.org{path}")
    assert caught.value.code == "epic.base_url_suffix"
    assert named in caught.value.user_message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "fhir.lamna.example.org",
        "ftp://x.example.org/api/FHIR/R4",
        f"{BASE}?a=1",
        f"{BASE}#a",
        "https:///api/FHIR/R4",
    ],
)
def test_what_is_no_plain_web_address_is_refused(address):
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(address)
    assert caught.value.code == "epic.base_url_invalid"


def test_an_address_with_a_user_name_is_refused():
    with pytest.raises(ConfigurationError):
        check_base_url("https://fhir.lamna.example.org@evil.example.org/api/FHIR/R4")


@pytest.mark.parametrize(
    "other",
    [
        BASE,
        f"{BASE}/",
        BASE.replace("fhir.lamna.example.org", "FHIR.Lamna.Example.Org"),
        BASE.replace("https", "HTTPS"),
        BASE.replace(".org/", ".org:443/"),
    ],
)
def test_trailing_slash_default_port_and_case_of_the_host_do_not_matter(other):
    assert is_same_base_url(BASE, other)


@pytest.mark.parametrize(
    "other",
    [
        f"{BASE}.evil.test",
        BASE.replace(".org", ".org.evil.test"),
        BASE.replace("R4", "r4"),
        BASE.replace("https", "http"),
        BASE.replace(".org/", ".org:8443/"),
        BASE.replace(".org/", ".org:99999/"),
        f"{BASE}/..",
        f"{BASE}?x=1",
    ],
)
def test_anything_else_is_another_address(other):
    assert not is_same_base_url(BASE, other)
