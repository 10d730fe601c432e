"""A browser without a screen: keeps cookies, follows redirects, fills in and sends forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import requests

SECONDS = 30
MOST_REDIRECTS = 10


@dataclass
class Form:
    """A form of a page: where it goes, how, and what is filled in."""

    action: str
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    submits_itself: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the browser shows: its address, status, forms and links."""

    url: str
    status: int
    text: str
    forms: list[Form]
    links: list[str]
    moves_on_to: str = ""

    def form(self, *, containing: str = "") -> Form:
        """Return the first form whose address contains ``containing``.

        :raises LookupError: when the page has none.
        """
        for form in self.forms:
            if containing in form.action:
                return form
        raise LookupError(f"{self.url} (HTTP {self.status}) has no form with {containing!r} in its address")


class Browser:
    """One person's browser, separate from everybody else's."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def open(self, url: str) -> Page:
        """Go to an address and let pages that go on by themselves do so."""
        return self._settle(self._request("get", url))

    def send(self, form: Form, **fields: str) -> Page:
        """Send ``form`` with ``fields`` filled in."""
        return self._settle(self._submit(form, {**form.fields, **fields}))

    def _settle(self, response: requests.Response) -> Page:
        page = _read(response)
        while True:
            form = next((form for form in page.forms if form.submits_itself), None)
            if form is not None:
                page = _read(self._submit(form, form.fields))
            elif page.moves_on_to:
                page = _read(self._request("get", page.moves_on_to))
            else:
                return page

    def _submit(self, form: Form, values: dict[str, str]) -> requests.Response:
        if form.method == "post":
            return self._request("post", form.action, values)
        return self._request("get", f"{form.action}?{urlencode(values)}")

    def _request(self, method: str, url: str, values: dict[str, str] | None = None) -> requests.Response:
        """Make one request and follow where it leads, step by step, so that every step has the newest cookies."""
        response = self._session.request(method, url, data=values, timeout=SECONDS, allow_redirects=False)
        for _ in range(MOST_REDIRECTS):
            self._keep_secure_cookies()
            if not response.is_redirect:
                return response
            target = urljoin(response.url, response.headers["Location"])
            response = self._session.get(target, timeout=SECONDS, allow_redirects=False)
        raise LookupError(f"{url} redirects without end")

    def _keep_secure_cookies(self) -> None:
        """Send secure cookies over http too, as browsers do for a machine's own address."""
        for cookie in self._session.cookies:
            cookie.secure = False


def _read(response: requests.Response) -> Page:
    reader = _Reader(response.url)
    if "html" in response.headers.get("Content-Type", ""):
        reader.feed(response.text)
    return Page(
        url=response.url,
        status=response.status_code,
        text=response.text,
        forms=reader.forms,
        links=reader.links,
        moves_on_to=reader.moves_on_to,
    )


class _Reader(HTMLParser):
    """Picks forms and links out of a page."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.moves_on_to = ""
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, one of its fields, a link, or where the page goes on to."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = True
            action = urljoin(self._url, values.get("action", ""))
            # data-auto-submit="change" waits for a person; the bare attribute does not.
            auto = "data-auto-submit" in values and not values["data-auto-submit"]
            self.forms.append(Form(action=action, method=values.get("method", "get").lower(), submits_itself=auto))
        elif tag in {"input", "button"} and self._is_inside and values.get("name"):
            if values.get("type") not in {"checkbox", "radio"} or "checked" in values:
                self.forms[-1].fields.setdefault(values["name"], values.get("value", ""))
        elif tag == "meta" and values.get("http-equiv") == "refresh":
            self.moves_on_to = urljoin(self._url, values.get("content", "").partition("url=")[2])
        elif tag == "a" and values.get("href"):
            self.links.append(urljoin(self._url, values["href"]))

    def handle_endtag(self, tag: str) -> None:
        """Leave a form."""
        if tag == "form":
            self._is_inside = False
