"""Who gets to see a page of the exchange: sessions, tokens, and what is refused around the loop.

Nobody is believed who they say they are: a session begins with a code and is kept here, not in the cookie; every form carries a
token, and a request from another site is refused. What is refused here is written down as what is refused in the loop.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tornado.web
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sharewell.errors import SharewellError
from sharewell.exchange import packages
from sharewell.exchange.holdings import Holdings
from sharewell.exchange.loop import Exchange
from sharewell.exchange.records import START
from sharewell.exchange.store import File
from sharewell.variant import checked, code_of

PAGES = (
    ("/", "Catalogue"),
    ("/requests", "My requests"),
    ("/decisions", "To do"),
    ("/trail", "Audit trail"),
)
_IDLE = 30 * 60
"""Seconds after which a session that is not used ends."""


@dataclass
class Session:
    """Somebody who signed in, from one browser."""

    person: str
    browser: str
    used: float = field(default_factory=time.monotonic)
    said: str = ""
    refused: str = ""


class Desk:
    """What all pages share: the exchange's file, what it holds, who is signed in, and how far its log was checked."""

    def __init__(self, file: Path, live: bool) -> None:
        self.file, self.live = file, live
        self.holdings = Holdings.of(file)
        self.released = file.with_suffix(".released")
        self.released.mkdir(mode=0o700, exist_ok=True)
        self.sessions: dict[str, Session] = {}
        self.secret = sign_in_secret(file)
        self.checked = (0, START)

    def exchange(self) -> Exchange:
        """The exchange, on today's day."""
        found = Exchange({}, date.min, File(self.file))
        if self.live and date.today() > found.today:
            found.clock(date.today())
        return found


def sign_in_secret(file: Path) -> str:
    """From which the codes of an exchange's people follow."""
    key = packages.key_of(file)
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return hmac.new(raw, b"sign in", hashlib.sha256).hexdigest()


class Page(tornado.web.RequestHandler):
    """What holds for every page."""

    needs_session = True

    def initialize(self, desk: Desk) -> None:
        self.desk = desk
        self._exchange: Exchange | None = None
        self.session: Session | None = None

    @property
    def exchange(self) -> Exchange:
        """The exchange, open as long as the request lasts."""
        if self._exchange is None:
            self._exchange = self.desk.exchange()
        return self._exchange

    def on_finish(self) -> None:
        if self._exchange is not None:
            self._exchange.store.close()

    def set_default_headers(self) -> None:
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    def prepare(self) -> None:
        """Refuse what does not come from our own page in the browser that signed in."""
        host = urlsplit(f"//{self.request.host}").hostname
        if host not in ("127.0.0.1", "localhost"):  # a name that somebody made point here
            self.refuse(f"a request for {host}")
        self.session = self._session()
        if self.request.method == "POST" and not self._from_here():
            self.refuse("a form of another site")
        if self.needs_session and self.session is None:
            self.redirect("/sign-in")

    def refuse(self, reason: str, status: int = 403) -> None:
        """End the request, and write down that it was refused."""
        person = self.session.person if self.session else "nobody"
        self.exchange.refuse(person, "page", reason, page=self.request.path)
        raise tornado.web.HTTPError(status, reason=reason)

    def check_xsrf_cookie(self) -> None:
        try:
            super().check_xsrf_cookie()
        except tornado.web.HTTPError:
            self.refuse("a form without its token")

    def write_error(self, status_code: int, **named: Any) -> None:
        self.session = getattr(self, "session", None)
        said = "there is no such page" if status_code == 404 else str(self._reason).lower()
        self.show("base.html", refused=said)

    def show(self, template: str, **named: Any) -> None:
        """Write a page."""
        session, exchange = self.session, self.exchange
        given = {
            "person": session.person if session else "",
            "roles": exchange.people.get(session.person, []) if session else [],
            "pages": PAGES,
            "here": self.request.path,
            "said": session.said if session else "",
            "refused": session.refused if session else "",
            "today": exchange.today,
        }
        if session:
            session.said = session.refused = ""
        self.finish(self.render_string(template, **{**given, **named}))

    def _session(self) -> Session | None:
        token = (self.get_signed_cookie("session") or b"").decode()
        found = self.desk.sessions.get(token)
        if found is None:
            return None
        if time.monotonic() - found.used > _IDLE:
            del self.desk.sessions[token]
            return None
        if found.browser != self.browser():
            del self.desk.sessions[token]  # whoever has it now, it is no secret any more
            self.refuse(f"the session of {found.person} from another browser")
        found.used = time.monotonic()
        return found

    def browser(self) -> str:
        """What tells browsers apart, as far as it can be told."""
        told = (self.request.remote_ip or "", self.request.headers.get("User-Agent", ""))
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def _from_here(self) -> bool:
        site = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = self.request.headers.get("Origin", "")
        return site == "same-origin" and origin in ("", f"http://{self.request.host}")

    @property
    def signed_in(self) -> Session:
        assert self.session is not None
        return self.session


class Nowhere(Page):
    needs_session = False

    def get(self) -> None:
        raise tornado.web.HTTPError(404)

    post = get


class Style(tornado.web.StaticFileHandler):
    """Only the style sheet lies open; templates do not."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        if Path(absolute_path).name != "style.css":
            raise tornado.web.HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)


class SignIn(Page):
    needs_session = False

    def get(self) -> None:
        self.show("sign_in.html")

    def post(self) -> None:
        name, code = self.get_body_argument("name"), self.get_body_argument("code")
        exchange = self.exchange
        try:
            right = hmac.compare_digest(checked(code), code_of(name, self.desk.secret))
        except (SharewellError, TypeError):
            right = False
        if not right or name not in exchange.people:
            exchange.refuse("nobody", "sign in", "a wrong name or code", name=name[:100])
            self.set_status(403)
            return self.show("sign_in.html", refused="a wrong name or code")
        token = secrets.token_urlsafe(32)
        self.desk.sessions[token] = Session(name, self.browser())
        self.set_signed_cookie(
            "session", token, expires_days=None, httponly=True, samesite="Strict"
        )
        return self.redirect("/")


class SignOut(Page):
    def post(self) -> None:
        token = (self.get_signed_cookie("session") or b"").decode()
        self.desk.sessions.pop(token, None)
        self.clear_cookie("session")
        self.redirect("/sign-in")
