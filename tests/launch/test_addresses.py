import pytest

from launch.addresses import client_network


def network(rf, **meta):
    return client_network(rf.get("/", **meta))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_an_address_counts_alone_and_an_ipv6_household_together(rf, address, expected):
    assert network(rf, REMOTE_ADDR=address) == expected


def test_without_a_proxy_of_ours_nobody_can_name_their_address(rf, settings):
    settings.SECURE_PROXY_SSL_HEADER = None
    assert network(rf, REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="198.51.100.1") == "192.0.2.7"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [("198.51.100.1", "198.51.100.1"), ("10.9.9.9, 198.51.100.1", "198.51.100.1"), ("", "192.0.2.7")],
)
def test_behind_our_proxy_its_own_entry_counts_and_not_what_the_client_wrote(rf, settings, forwarded, expected):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert network(rf, REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=forwarded) == expected
