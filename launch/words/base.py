"""One page of words."""

from dataclasses import dataclass

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True, kw_only=True)
class Words:
    """The title, what happened, what to do, and the HTTP status that goes with it."""

    title: Text
    happened: Text = ""
    todo: Text = ""
    status: int = 400
