"""What can keep the stack from running, in words for the person at the terminal."""


class StackError(Exception):
    """Something a person has to change; the message says what."""


class Interrupted(BaseException):
    """A person or the system asked us to stop; not an ``Exception``, so that no retry swallows it."""
