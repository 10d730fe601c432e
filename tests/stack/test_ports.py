import socket

import pytest

from ehrconnector.stack.errors import StackError
from ehrconnector.stack.ports import LOOPBACK, free_port, port_from, require_free


def test_a_taken_port_names_the_port_and_the_variable_to_change():
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=rf"Port {port} for the sandbox is taken.*SANDBOX_PORT"):
            require_free(port, variable="SANDBOX_PORT", purpose="the sandbox")


def test_a_free_port_is_accepted():
    require_free(free_port(), variable="WEB_PORT", purpose="pages")


@pytest.mark.parametrize("text", ["eighty", "-1", "65536", "8000x"])
def test_nonsense_is_no_port(text):
    with pytest.raises(StackError, match="WEB_PORT"):
        port_from("WEB_PORT", default=8000, environ={"WEB_PORT": text})


def test_zero_stands_for_any_free_port_and_nothing_for_the_default():
    assert port_from("WEB_PORT", default=8000, environ={}) == 8000
    assert port_from("WEB_PORT", default=8000, environ={"WEB_PORT": "0"}) > 1023
