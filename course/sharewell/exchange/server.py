"""The exchange as a web page on this machine: catalogue, requests, decisions to take, audit trail. Made with Tornado."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, get_args

import tornado.web

from sharewell.errors import SharewellError
from sharewell.exchange import packages, picture, queries
from sharewell.exchange.guard import Desk, Nowhere, Page, SignIn, SignOut, Style
from sharewell.exchange.loop import Exchange
from sharewell.exchange.places import received
from sharewell.exchange.records import START, Tampered, verify
from sharewell.exchange.states import BY_ITSELF, GRANT, LABELS, RESOURCE

TEXTS = {
    "reject": ("reason", "Reason"),
    "dispose": ("certificate", "Certificate of deletion"),
    "audit": ("finding", "Finding"),
    "feedback": ("text", "What was learnt"),
}
"""Events of a grant that take a text: the parameter's name, and what it is called."""
_LAST = 200
"""Records that the trail shows."""


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


class Catalogue(Page):
    def get(self) -> None:
        exchange, person = self.exchange, self.signed_in.person
        rows = []
        for name, one in exchange.resources.items():
            offered = ("deposit", "classify", "confirm", "withdraw", "request")
            events = [event for event in offered if exchange.may(person, event, name)]
            rows.append((name, one, events))
        people = exchange.people
        self.show(
            "catalogue.html",
            resources=rows,
            labels=LABELS,
            steward="steward" in people[person],
            owners=[name for name, roles in people.items() if "owner" in roles],
            place=lambda name: hashlib.sha256(name.encode()).hexdigest()[:8],
        )


class Requests(Page):
    def get(self) -> None:
        grants = self.exchange.grants.items()
        own = [(name, one) for name, one in grants if one.consumer == self.signed_in.person]
        rows = self.exchange.store.away.values()
        away = [one for one in rows if one.consumer == self.signed_in.person]
        empty = "" if away else "You have requested nothing."
        self.show("grants.html", heading="My requests", grants=own, away=away, empty=empty)


class Decisions(Page):
    def get(self) -> None:
        exchange, person = self.exchange, self.signed_in.person
        todo = [(n, g) for n, g in exchange.grants.items() if _possible(exchange, person, n)]
        self.show(
            "grants.html", heading="To do", grants=todo, away=[], empty="Nothing waits for you."
        )


class OneGrant(Page):
    def get(self, name: str) -> None:
        exchange, person = self.exchange, self.signed_in.person
        if name not in exchange.grants:
            self.refuse("there is no such grant", 404)
        grant = exchange.grants[name]
        trail = [r for r in exchange.log.about(name) if r["event"] in _EVENTS]
        self.show(
            "grant.html",
            name=name,
            one=grant,
            of=exchange.resources[grant.resource],
            events=_possible(exchange, person, name),
            texts=TEXTS,
            statistics=get_args(queries.Statistic),
            trail=trail,
            picture=picture.loop(grant.state, trail),
            package=_package(self.desk, exchange, person, name) is not None,
        )


class Trail(Page):
    """What was attempted last. What was checked since the page was opened is checked again only when somebody asks for it."""

    def get(self) -> None:
        log, desk = self.exchange.log, self.desk
        tampered, known = "", (0, START) if "whole" in self.request.arguments else desk.checked
        try:
            if known[0] and next((r["hash"] for r in log.since(known[0] - 1)), "") != known[1]:
                raise Tampered(known[0], "it was the last one that was checked, and is not there")
            desk.checked = verify(log.since(known[0]), after=known)
        except Tampered as error:
            desk.checked = (0, START)
            tampered = str(error)
        self.show(
            "trail.html",
            trail=list(log.since(max(0, len(log) - _LAST)))[::-1],
            size=len(log),
            head=log.head,
            known=known[0],
            tampered=tampered,
        )


class Attempt(Page):
    """Does one thing of the loop, as the person who is signed in."""

    def post(self) -> None:
        event, subject = self.get_body_argument("event"), self.get_body_argument("subject").strip()
        session, exchange = self.signed_in, self.exchange
        try:
            session.said = f"Done: {event} {subject}."
            grant = self._attempt(exchange, session.person, event, subject)
        except SharewellError as error:  # refusals are such, too
            session.said, session.refused, grant = "", str(error), subject
        self.redirect(f"/grant/{grant}" if grant in exchange.grants else "/")

    def _attempt(self, exchange: Exchange, person: str, event: str, subject: str) -> str:
        """Returns the grant that it is about; empty for a resource."""
        given: dict[str, Any] = {}
        names = self.get_body_arguments("fields")
        if event == "release":
            packages.hand_out(exchange, person, subject, self.desk.holdings, self.desk.released)
            return subject
        if event == "query":
            return self._query(exchange, person, subject)
        if event not in _EVENTS - BY_ITSELF:
            self.refuse("there is no such event", 400)
        if event == "catalogue":
            columns = [one.strip() for one in ",".join(names).split(",") if one.strip()]
            exchange.catalogue(person, subject, columns, self.get_body_argument("owner"))
        elif event == "request":
            purpose, until = self.get_body_argument("purpose"), self._day()
            return exchange.request(person, subject, purpose, names, until, self._epsilon())
        elif event == "deposit":
            self._deposit(exchange, person, subject)
        elif event in ("confirm", "withdraw"):
            getattr(exchange, event)(person, subject)
        elif event == "classify":
            label, citation = (self.get_body_argument(name) for name in ("label", "citation"))
            exchange.classify(person, subject, label, citation, self._epsilon())
        else:
            if event == "approve":
                given = {"fields": names, "until": self._day(), "epsilon": self._epsilon()}
            elif event == "use":
                given = {"fields": names, "purpose": self.get_body_argument("purpose")}
            elif event in TEXTS:
                given = {TEXTS[event][0]: self.get_body_argument(TEXTS[event][0])}
            getattr(exchange, event)(person, subject, **given)
            return subject
        return ""

    def _deposit(self, exchange: Exchange, person: str, resource: str) -> None:
        """Take over a file that was sent; of its name nothing is used but the kind."""
        sent = self.request.files.get("data", [])
        kind = Path(sent[0].filename).suffix if len(sent) == 1 else ""
        if kind not in (".parquet", ".csv"):
            self.refuse("a file that is neither Parquet nor CSV", 400)
        with tempfile.NamedTemporaryFile(suffix=kind, dir=self.desk.released) as file:
            file.write(sent[0].body)
            file.flush()
            column = self.get_body_argument("person", "").strip()
            self.desk.holdings.deposit(exchange, person, resource, Path(file.name), column)

    def _query(self, exchange: Exchange, person: str, grant: str) -> str:
        words = {name: self.get_body_argument(name, "") for name in ("of", "between", "by")}
        where = [one for one in self.get_body_arguments("where") if one.strip()]
        asked = queries.in_words(self.get_body_argument("statistic"), where=where, **words)
        purpose, epsilon = self.get_body_argument("purpose"), self._epsilon()
        answer = queries.ask(exchange, self.desk.holdings, person, grant, purpose, asked, epsilon)
        self.signed_in.said = "\n".join(queries.told(asked, answer))
        return grant

    def _epsilon(self) -> float:
        try:
            return float(self.get_body_argument("epsilon", "") or 0)
        except ValueError:
            raise SharewellError("an epsilon is written as 0.5") from None

    def _day(self) -> date:
        try:
            return date.fromisoformat(self.get_body_argument("until"))
        except ValueError:
            raise SharewellError("a day is written as 2026-12-31") from None


class Package(Page):
    def get(self, name: str) -> None:
        exchange, person = self.exchange, self.signed_in.person
        path = _package(self.desk, exchange, person, name)
        if path is None:
            return self.refuse("a package that was not released to them")
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="{path.name}"')
        self.finish(path.read_bytes())
        return None


_EVENTS = {event for _, event in (*RESOURCE, *GRANT)}


def _possible(exchange: Exchange, person: str, grant: str) -> list[str]:
    """What somebody can do with a grant now."""
    state = exchange.grants[grant].state
    events = [event for before, event in GRANT if before == state and event not in BY_ITSELF]
    return [event for event in events if exchange.may(person, event, grant)]


def _package(desk: Desk, exchange: Exchange, person: str, grant: str) -> Path | None:
    """What somebody may download of a grant, here or elsewhere: its consumer, as long as it is released."""
    here = exchange.grants.get(grant)
    away = next((one for one in exchange.store.away.values() if one.grant == grant), None)
    known = here or away
    if known is None or known.consumer != person or known.state != "released":
        return None
    path = desk.released / f"{grant}.zip" if here else received(desk.file, grant)
    return path if path.is_file() else None
