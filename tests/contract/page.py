"""Use a page as a person without scripts does: press the button, or follow the link, that names something."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects the forms of a page, each with its fields and what can be chosen, and the links."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=values.get("action", ""), method=values.get("method", "get").lower()))
        elif tag == "a":
            self.links.append(values.get("href", ""))
        elif tag in {"input", "button"} and self.forms and values.get("name"):
            is_choice = tag == "button" or values.get("type") in {"radio", "submit"}
            entry = (values["name"], values.get("value", ""))
            if is_choice:
                self.forms[-1].choices.append(entry)
            else:
                self.forms[-1].fields.update([entry])


def choose(browser: requests.Session, page: requests.Response, value: str) -> requests.Response:
    """Send the form, or follow the link, of ``page`` that carries ``value``; do not follow a redirect."""
    reader = _Reader()
    reader.feed(page.text)
    for form in reader.forms:
        sent = [*form.choices, *form.fields.items()]
        chosen = [entry for entry in sent if entry[1] == value]
        if chosen:
            body = {**form.fields, **dict(chosen)}
            kind = "data" if form.method == "post" else "params"
            address = urljoin(page.url, form.action) if form.action else page.url
            return browser.request(form.method, address, allow_redirects=False, timeout=10, **{kind: body})
    link = next((link for link in reader.links if value in link), None)
    assert link is not None, f"nothing on {page.url} carries {value}"
    return browser.get(urljoin(page.url, link), allow_redirects=False, timeout=10)
