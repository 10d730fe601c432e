"""The wall of phones."""

import re

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from sandbox import people
from sandbox.sms import network, phones
from sandbox.sms.presenter import PhoneCard, card_for


@require_GET
def wall(request: HttpRequest) -> HttpResponse:
    """Show every phone; ``?part=wall`` is the living part alone."""
    cards = [card_for(phone) for phone in phones.wall(people.phone_numbers())]
    template = "sandbox/phones/_wall.html" if request.GET.get("part") == "wall" else "sandbox/phones/wall.html"
    return render(request, template, {"phones": cards})


@require_GET
def phone_page(request: HttpRequest, e164: str) -> HttpResponse:
    """Show one phone."""
    cards = [_card(e164)]
    template = "sandbox/phones/_wall.html" if request.GET.get("part") == "wall" else "sandbox/phones/phone.html"
    return render(request, template, {"phones": cards, "phone": cards[0]})


@require_POST
def reply(request: HttpRequest, e164: str) -> HttpResponseBase:
    """Answer from a phone."""
    body = request.POST.get("text", "").strip()
    if body:
        try:
            phones.reply(_known(e164), body=body)
        except phones.PhoneRefused as error:
            return HttpResponse(str(error), status=409, content_type="text/plain")
    back = request.POST.get("back", "")
    return redirect("phones:phone", e164=e164) if back == "phone" else redirect("phones:wall")


def _card(e164: str) -> PhoneCard:
    return card_for(phones.conversation(_known(e164)))


def _known(e164: str) -> str:
    if not re.fullmatch(network.E164, e164):
        raise Http404("not a telephone number in E.164")
    return e164
