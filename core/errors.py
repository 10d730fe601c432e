"""The errors of the connector: raised low, translated once at a view, task or command.

::

    ConnectorError
    ├── ConfigurationError      something a person must set up or repair
    ├── UpstreamUnavailable     another system did not answer or is overloaded; try again later
    ├── UpstreamRejected        another system understood and refused; do not repeat
    ├── OutcomeUnknown          the call may or may not have taken effect; ask before repeating
    ├── InvalidMessage          a message we received cannot be accepted
    └── LaunchRefused           a launch or join that must not go on

Every ``code`` has an entry in ``docs/troubleshooting.md``.
"""


class ConnectorError(Exception):
    """A failure with a stable code.

    :param code: stable name, such as ``launch.state_expired``.
    :param user_message: a sentence that may be shown to the person; holds no identifiers.
    :param detail: for logs and support staff; holds no identifiers either.
    :param retryable: overrides the class's default.
    """

    retryable = False

    def __init__(self, code: str, user_message: str = "", *, detail: str = "", retryable: bool | None = None) -> None:
        super().__init__(f"{code}: {detail or user_message}".rstrip(": "))
        self.code = code
        self.user_message = user_message
        self.detail = detail
        if retryable is not None:
            self.retryable = retryable


class ConfigurationError(ConnectorError):
    """Something a person must set up or repair."""


class UpstreamUnavailable(ConnectorError):
    """Another system did not answer, or asked us to come back later.

    :param retry_after: seconds the other system asked for, if it did.
    """

    retryable = True

    def __init__(
        self, code: str, user_message: str = "", *, detail: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(code, user_message, detail=detail)
        self.retry_after = retry_after


class UpstreamRejected(ConnectorError):
    """Another system understood the call and refused it.

    :param status: the HTTP status it answered with, 0 when there was none.
    """

    def __init__(self, code: str, user_message: str = "", *, detail: str = "", status: int = 0) -> None:
        super().__init__(code, user_message, detail=detail)
        self.status = status


class OutcomeUnknown(ConnectorError):
    """The call was sent and no answer came: it may have taken effect."""


class InvalidMessage(ConnectorError):
    """A message from outside that cannot be accepted, now or later."""


class LaunchRefused(ConnectorError):
    """A launch or a join that must not go on; becomes a page with a reference number."""
