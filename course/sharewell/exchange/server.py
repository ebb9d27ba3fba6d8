"""The exchange as a web page on this machine: catalogue, requests, decisions to take, audit trail. Made with Tornado.

Nobody is believed who they say they are: a session begins with a code and is kept here, not in the cookie; every form carries a
token, and a request from another site is refused. What is refused around the loop is written down as what is refused in it.
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
from sharewell.exchange import packages, picture
from sharewell.exchange.loop import Exchange
from sharewell.exchange.records import Refused, Tampered, verify
from sharewell.exchange.states import BY_ITSELF, GRANT, LABELS, RESOURCE
from sharewell.exchange.store import File
from sharewell.variant import checked, code_of

PAGES = (
    ("/", "Catalogue"),
    ("/requests", "My requests"),
    ("/decisions", "To do"),
    ("/trail", "Audit trail"),
)
TEXTS = {
    "reject": ("reason", "Reason"),
    "dispose": ("certificate", "Certificate of deletion"),
    "audit": ("finding", "Finding"),
    "feedback": ("text", "What was learnt"),
}
"""Events of a grant that take a text: the parameter's name, and what it is called."""
_IDLE = 30 * 60
"""Seconds after which a session that is not used ends."""
_LAST = 200
"""Records that the trail shows."""


@dataclass
class Session:
    """Somebody who signed in, from one browser."""

    person: str
    browser: str
    used: float = field(default_factory=time.monotonic)
    said: str = ""
    refused: str = ""


class Desk:
    """What all pages share: the exchange's file, its key, who is signed in, and where releases and data lie."""

    def __init__(self, file: Path, live: bool) -> None:
        self.file, self.live = file, live
        self.key = packages.signing_key(file.with_suffix(".key"))
        self.shelf, self.released = file.with_suffix(".data"), file.with_suffix(".released")
        for folder in (self.shelf, self.released):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.sessions: dict[str, Session] = {}
        self.secret = sign_in_secret(file)

    def exchange(self) -> Exchange:
        """The exchange, on today's day."""
        found = Exchange({}, date.min, File(self.file))
        if self.live and date.today() > found.today:
            found.clock(date.today())
        return found

    def files(self) -> list[str]:
        """The data that can be released."""
        return sorted(p.name for p in self.shelf.iterdir() if p.suffix in (".parquet", ".csv"))


def sign_in_secret(file: Path) -> str:
    """From which the codes of an exchange's people follow."""
    key = packages.signing_key(file.with_suffix(".key"))
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return hmac.new(raw, b"sign in", hashlib.sha256).hexdigest()


def application(file: Path, live: bool = True) -> tornado.web.Application:
    """The pages of an exchange that is kept in a file.

    Parameters
    ----------
    live : bool
        Whether its days are those of the calendar.
    """
    here = Path(__file__).with_name("page")
    desk = {"desk": Desk(file, live)}
    return tornado.web.Application(
        [
            (r"/", Catalogue, desk),
            (r"/sign-in", SignIn, desk),
            (r"/sign-out", SignOut, desk),
            (r"/requests", Requests, desk),
            (r"/decisions", Decisions, desk),
            (r"/trail", Trail, desk),
            (r"/attempt", Attempt, desk),
            (r"/grant/(.*)", OneGrant, desk),
            (r"/package/(.*)\.zip", Package, desk),
        ],
        default_handler_class=Nowhere,
        default_handler_args=desk,
        template_path=str(here),
        static_path=str(here),
        static_handler_class=Style,
        cookie_secret=secrets.token_hex(32),
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Strict"},
        login_url="/sign-in",
    )


class Page(tornado.web.RequestHandler):
    """What holds for every page."""

    needs_session = True

    def initialize(self, desk: Desk) -> None:
        self.desk = desk
        self.session: Session | None = None

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
            self.refuse("another host", f"a request for {host}")
        self.session = self._session()
        if self.request.method == "POST" and not self._from_here():
            self.refuse("another site", "a form of another site")
        if self.needs_session and self.session is None:
            self.redirect("/sign-in")

    def refuse(self, what: str, reason: str, status: int = 403) -> None:
        """End the request, and write down that it was refused."""
        person = self.session.person if self.session else "nobody"
        self.desk.exchange().refuse(person, "page", reason, page=self.request.path, what=what)
        raise tornado.web.HTTPError(status, reason=reason)

    def check_xsrf_cookie(self) -> None:
        try:
            super().check_xsrf_cookie()
        except tornado.web.HTTPError:
            self.refuse("no token", "a form without its token")

    def write_error(self, status_code: int, **named: Any) -> None:
        self.session = getattr(self, "session", None)
        said = "there is no such page" if status_code == 404 else str(self._reason).lower()
        self.show("base.html", refused=said)

    def show(self, template: str, **named: Any) -> None:
        """Write a page."""
        session, exchange = self.session, self.desk.exchange()
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
            self.refuse("another browser", f"the session of {found.person} from another browser")
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
        exchange = self.desk.exchange()
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


class Catalogue(Page):
    def get(self) -> None:
        exchange, person = self.desk.exchange(), self.signed_in.person
        rows = []
        for name, one in exchange.resources.items():
            events = [
                e for e in ("classify", "confirm", "withdraw") if exchange.may(person, e, name)
            ]
            if (
                one.state == "listed"
                and "consumer" in exchange.people[person]
                and one.label != "non-sharing"
            ):
                events.append("request")
            rows.append((name, one, events))
        people = exchange.people
        self.show(
            "catalogue.html",
            resources=rows,
            labels=LABELS,
            steward="steward" in people[person],
            owners=[name for name, roles in people.items() if "owner" in roles],
            loop_id=lambda name: hashlib.sha256(name.encode()).hexdigest()[:8],
        )


class Requests(Page):
    def get(self) -> None:
        grants = self.desk.exchange().grants.items()
        own = [(name, one) for name, one in grants if one.consumer == self.signed_in.person]
        self.show(
            "grants.html", heading="My requests", grants=own, empty="You have requested nothing."
        )


class Decisions(Page):
    def get(self) -> None:
        exchange, person = self.desk.exchange(), self.signed_in.person
        todo = [(n, g) for n, g in exchange.grants.items() if _possible(exchange, person, n)]
        self.show("grants.html", heading="To do", grants=todo, empty="Nothing waits for you.")


class OneGrant(Page):
    def get(self, name: str) -> None:
        exchange, person = self.desk.exchange(), self.signed_in.person
        if name not in exchange.grants:
            self.refuse("unknown", "there is no such grant", 404)
        grant = exchange.grants[name]
        trail = [r for r in exchange.log if r["subject"] == name and r["event"] in _EVENTS]
        self.show(
            "grant.html",
            name=name,
            one=grant,
            label=exchange.resources[grant.resource].label,
            events=_possible(exchange, person, name),
            texts=TEXTS,
            files=self.desk.files(),
            shelf=self.desk.shelf,
            trail=trail,
            picture=picture.loop(grant.state, trail),
            package=_has_package(self.desk, exchange, person, name),
        )


class Trail(Page):
    def get(self) -> None:
        log = self.desk.exchange().log
        tampered = ""
        try:
            verify(log)
        except Tampered as error:
            tampered = str(error)
        last = list(log.since(max(0, len(log) - _LAST)))[::-1]
        self.show("trail.html", trail=last, size=len(log), head=log.head, tampered=tampered)


class Attempt(Page):
    """Does one thing of the loop, as the person who is signed in."""

    def post(self) -> None:
        event, subject = self.get_body_argument("event"), self.get_body_argument("subject").strip()
        session, exchange = self.signed_in, self.desk.exchange()
        try:
            grant = self._attempt(exchange, session.person, event, subject)
            session.said = f"Done: {event} {subject}."
        except Refused as refusal:
            session.refused, grant = str(refusal), subject
        except SharewellError as error:
            session.refused, grant = str(error), subject
        self.redirect(f"/grant/{grant}" if grant in exchange.grants else "/")

    def _attempt(self, exchange: Exchange, person: str, event: str, subject: str) -> str:
        """Returns the grant that it is about; empty for a resource."""
        given: dict[str, Any] = {}
        names = self.get_body_arguments("fields")
        if event == "release":
            return self._release(exchange, person, subject)
        if event not in _EVENTS - BY_ITSELF:
            self.refuse("unknown", "there is no such event", 400)
        if event == "catalogue":
            columns = [one.strip() for one in ",".join(names).split(",") if one.strip()]
            exchange.catalogue(person, subject, columns, self.get_body_argument("owner"))
        elif event == "request":
            purpose, until = self.get_body_argument("purpose"), self._day()
            return exchange.request(person, subject, purpose, names, until)
        elif event in ("confirm", "withdraw"):
            getattr(exchange, event)(person, subject)
        elif event == "classify":
            label, citation = (
                self.get_body_argument("label"),
                self.get_body_argument("citation", ""),
            )
            exchange.classify(person, subject, label, citation)
        else:
            if event == "approve":
                given = {"fields": names, "until": self._day()}
            elif event == "use":
                given = {"fields": names, "purpose": self.get_body_argument("purpose")}
            elif event in TEXTS:
                given = {TEXTS[event][0]: self.get_body_argument(TEXTS[event][0])}
            getattr(exchange, event)(person, subject, **given)
            return subject
        return ""

    def _release(self, exchange: Exchange, person: str, grant: str) -> str:
        name = self.get_body_argument("data", "")
        if name not in self.desk.files():  # a path, or a name that is not offered
            self.refuse("a path", "a file that is not on the shelf", 400)
        target = self.desk.released / f"{grant}.zip"
        if grant in exchange.grants and exchange.grants[grant].state == "approved":
            target.unlink(missing_ok=True)  # of an approval under an earlier label
        packages.release(exchange, person, grant, self.desk.shelf / name, target, self.desk.key)
        return grant

    def _day(self) -> date:
        try:
            return date.fromisoformat(self.get_body_argument("until"))
        except ValueError:
            raise SharewellError("a day is written as 2026-12-31") from None


class Package(Page):
    def get(self, name: str) -> None:
        exchange, person = self.desk.exchange(), self.signed_in.person
        if not _has_package(self.desk, exchange, person, name):
            self.refuse("a package", "a package that was not released to them")
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="{name}.zip"')
        self.finish((self.desk.released / f"{name}.zip").read_bytes())


_EVENTS = {event for _, event in (*RESOURCE, *GRANT)}


def _possible(exchange: Exchange, person: str, grant: str) -> list[str]:
    """What somebody can do with a grant now."""
    state = exchange.grants[grant].state
    events = [event for before, event in GRANT if before == state and event not in BY_ITSELF]
    return [event for event in events if exchange.may(person, event, grant)]


def _has_package(desk: Desk, exchange: Exchange, person: str, grant: str) -> bool:
    """Whether somebody may download a grant's package: its consumer, as long as it is released."""
    known = exchange.grants.get(grant)
    mine = known is not None and known.consumer == person and known.state == "released"
    return mine and (desk.released / f"{grant}.zip").is_file()
