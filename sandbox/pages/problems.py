"""What a page says when the twin cannot do what a person asked for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

View = Callable[..., HttpResponse]


def explaining(view: View) -> View:
    """Turn a refusal of the schedule into a page that says why, with 409."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (LookupError, ValueError) as error:
            return render(request, "sandbox/pages/problem.html", {"reason": str(error)}, status=409)

    return answer
