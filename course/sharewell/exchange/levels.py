"""Exchanges of a nation, its provinces and their counties: a request travels up and down, and a release comes back with its conditions.

Each exchange keeps its own people, data, policies and log, and trusts the one above it to say who the others are. What a consumer
attempts elsewhere is written into a signed letter (``letters``); it is decided where the data are, by that exchange's owner and
policies; every exchange on the way writes down what it passed on. An exchange's name is its way from the top, ``nation/north/lake``.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sharewell.errors import SharewellError
from sharewell.exchange import letters, packages, queries
from sharewell.exchange.letters import Forged, Letter
from sharewell.exchange.places import Place
from sharewell.exchange.records import Refused
from sharewell.exchange.store import Away

EVENTS = ("request", "appeal", "use", "query", "dispose", "feedback")
"""What a consumer may attempt elsewhere."""


@dataclass(frozen=True)
class Hop:
    """A letter that went from one exchange to the next, or what became of it there."""

    sender: str
    receiver: str
    what: str


class Node(Place):
    """An exchange with a place among others, and its letters."""

    def send(self, actor: str, event: str, subject: str, **details: Any) -> str:
        """Attempt something elsewhere, as a consumer of this exchange: put a letter on its way. Returns its number.

        Parameters
        ----------
        event : str
            One of ``EVENTS``.
        subject : str
            The exchange, a colon, and the resource or grant there: ``nation/north/lake:beds``.
        details
            As the event has them. A query's are the words of ``queries.in_words``, with its purpose and epsilon.

        Raises
        ------
        Refused
            Only consumers may ask elsewhere.
        """
        target, _, what = subject.partition(":")
        if not self.name:
            raise SharewellError("this exchange has no place among others: it can ask nobody")
        if event not in EVENTS or not what or target in ("", self.name):
            raise SharewellError(f"nobody elsewhere can be asked to {event} {subject!r}")
        if self.way(target) is None or target.partition("/")[0] != self.name.partition("/")[0]:
            raise SharewellError(f"there is no exchange {target} that could be reached from here")
        with self.exchange.store.transaction():
            self.exchange.send(actor, subject, event)
            body = {"event": event, "actor": actor, "subject": what, "details": _json(details)}
            number = self._write(target, {**body, "nonce": os.urandom(8).hex()})
            if event == "request":
                purpose = str(details.get("purpose", ""))
                self.exchange.store.away[number] = Away(actor, subject, purpose)
            return number

    def take(self, letter: Letter, sender: Node, enclosed: bytes = b"") -> str:
        """A letter arrives: it is passed on, answered, or an answer itself. Returns what was done.

        A letter that was taken before is not taken again.

        Raises
        ------
        Forged
            It is not what it says, or comes the wrong way. That is written down.
        """
        with self.exchange.store.transaction():
            if letter.number in self.exchange.store.letters:
                return "was here before"
            try:
                writer = self._checked(letter, sender, enclosed)
            except Forged as error:
                self.exchange.refuse(sender.name, "take", str(error), letter=letter.number)
                raise
            here = letter.target == self.name
            if enclosed:
                _put(self.bag / letter.enclosed, enclosed)
            state = "here" if here else "waiting"
            self.exchange.store.letters[letter.number] = replace(letter, state=state)
            if not here:
                way = {"origin": letter.origin, "target": letter.target}
                self.exchange.note(sender.name, "pass on", letter.number, **way)
                if self.way(letter.target) is None:
                    return self._lost(letter)
                return "is passed on"
            if "answer" in letter.body:
                return self._heard(letter, writer)
            return self._act(letter, writer)

    def tell(self) -> None:
        """Write to those elsewhere whose grants have come to another state here."""
        for name, grant in list(self.exchange.grants.items()):
            origin, now = self._whose(name), f"{grant.state} {grant.version}"
            if origin and self._settings.get(f"told {name}") != now:
                with self.exchange.store.transaction():
                    self._tell(name, origin, {"answer": "", "said": ""})

    # how it is done

    def _write(self, target: str, body: Mapping[str, Any], enclosed: bytes = b"") -> str:
        digest = hashlib.sha256(enclosed).hexdigest() if enclosed else ""
        letter = letters.write(self.holdings.key, self._chain, target, body, digest)
        if enclosed:
            _put(self.bag / digest, enclosed)
        self.exchange.store.letters[letter.number] = letter
        return letter.number

    def _checked(self, letter: Letter, sender: Node, enclosed: bytes) -> letters.Certificate:
        """Who wrote it; and that it comes from the side on which they are."""
        writer = letters.check(letter, self._chain[0]["key"])
        if hashlib.sha256(enclosed).hexdigest() != letter.enclosed and (
            enclosed or letter.enclosed
        ):
            raise Forged("what is enclosed is not what was enclosed")
        from_below = sender.name.startswith(f"{self.name}/")
        side = sender.name if from_below else self.name
        inside = f"{letter.origin}/".startswith(f"{side}/")
        if inside != from_below:
            raise Forged(f"a letter of {letter.origin} does not come from {sender.name}")
        return writer

    def _act(self, letter: Letter, writer: letters.Certificate) -> str:
        """Do what was asked for, as the consumer elsewhere, and write back what came of it."""
        body, said = letter.body, ""
        subject = str(body.get("subject", ""))
        try:
            done = self._attempt(letter.origin, body)
            subject = done.get("grant", subject)
            said = done.get("said", "")
        except Refused as refusal:
            said = f"refused: {refusal}"
        except (SharewellError, TypeError, ValueError, KeyError, AttributeError) as error:
            known = isinstance(error, SharewellError)
            said = f"refused: {error if known else 'nobody can do so'}"
            attempt = str(body.get("event"))
            self.exchange.refuse(letter.origin, "take", said, letter=letter.number, attempt=attempt)
        told = {"answer": letter.number, "event": body.get("event"), "said": said}
        if subject in self.exchange.grants and self._whose(subject) == letter.origin:
            self._tell(subject, letter.origin, told, writer)
        else:
            self._write(letter.origin, told)
        return said or f"{body['event']} is done"

    def _attempt(self, origin: str, body: Mapping[str, Any]) -> dict[str, str]:
        event, subject = body["event"], body["subject"]
        actor, given = f"{body['actor']}@{origin}", dict(body["details"])
        if event not in EVENTS:
            raise SharewellError("nobody can do so")
        if event == "query":
            purpose, epsilon = given.pop("purpose"), given.pop("epsilon")
            asked = queries.in_words(**given)
            answer = queries.ask(
                self.exchange, self.holdings, actor, subject, purpose, asked, float(epsilon)
            )
            return {"said": "\n".join(queries.told(asked, answer))}
        method: Callable[..., Any] = getattr(self.exchange, event)
        if "until" in given:
            given["until"] = date.fromisoformat(given["until"])
        inspect.signature(method).bind(actor, subject, **given)
        made = method(actor, subject, **given)
        return {"grant": made} if event == "request" else {}

    def _whose(self, grant: str) -> str:
        return self.exchange.grants[grant].consumer.partition("@")[2]

    def _tell(
        self,
        name: str,
        origin: str,
        told: Mapping[str, Any],
        writer: letters.Certificate | None = None,
    ) -> None:
        """Write how a grant stands, and enclose what was released if that is new."""
        grant = self.exchange.grants[name]
        now, package = f"{grant.state} {grant.version}", self.released / f"{name}.zip"
        news = self._settings.get(f"told {name}") != now
        enclosed = b""
        if news and grant.state == "released" and not grant.epsilon and package.is_file():
            writer = writer or self._writer(origin)
            enclosed = letters.seal(package.read_bytes(), writer)
        self._write(origin, {**told, "grant": name, "state": grant.state}, enclosed)
        self._settings[f"told {name}"] = now

    def _writer(self, origin: str) -> letters.Certificate:
        """The certificate of somebody who has written to us."""
        for letter in self.exchange.store.letters.values():
            if letter.origin == origin:
                return letter.chain[-1]
        raise SharewellError(f"{origin} has never written")

    def _heard(self, letter: Letter, writer: letters.Certificate) -> str:
        """An answer, or news of a grant. Only the exchange that has a grant may say how it stands."""
        body, away = letter.body, self.exchange.store.away
        said, name = str(body.get("said", "")), str(body.get("grant", ""))
        grant = f"{letter.origin}:{name}" if name else ""
        asked = self.exchange.store.letters.get(str(body["answer"]))
        if asked is None:
            key = self._away(grant)
        elif asked.origin == self.name and _between(letter.origin, asked.target, self.name):
            first = asked.body["event"] == "request"
            key = asked.number if first else self._away(f"{asked.target}:{asked.body['subject']}")
        else:
            key = ""
        if not key or (grant and not away[key].resource.startswith(f"{letter.origin}:")):
            return self._unwanted(letter, "nobody asked them")
        if grant:
            state = str(body.get("state", ""))
            try:
                self._keep(letter, writer, grant, state, away[key].consumer)
            except SharewellError as error:
                return self._unwanted(letter, str(error))
            said = said if asked else away[key].said  # news leave the last answer as it is
            away[key] = replace(away[key], grant=grant, state=state, said=said)
        else:
            state = away[key].state if away[key].grant else "refused"
            away[key] = replace(away[key], state=state, said=said)
        self.exchange.note(letter.origin, "answer", grant, state=state)
        where = f", in {self.package(grant)}" if letter.enclosed else ""
        return (asked and said) or f"{grant} is {state}{where}"

    def _away(self, grant: str) -> str:
        rows = self.exchange.store.away.items()
        return next((key for key, one in rows if grant and one.grant == grant), "")

    def _keep(
        self, letter: Letter, writer: letters.Certificate, grant: str, state: str, consumer: str
    ) -> None:
        """Open what is enclosed and check that it is what its exchange released, and for whom; keep it as long as that holds."""
        path = self.package(grant)
        if not letter.enclosed:
            if state != "released":
                path.unlink(missing_ok=True)
            return
        sealed, scratch = self.bag / letter.enclosed, path.with_suffix(".part")
        try:
            _put(scratch, letters.unseal(sealed.read_bytes(), self.holdings.key))
            told = packages.check(scratch, writer["key"]).conditions
            if told.consumer != f"{consumer}@{self.name}":
                raise SharewellError(f"{letter.origin} released it to {told.consumer}")
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
            sealed.unlink(missing_ok=True)

    def _unwanted(self, letter: Letter, reason: str) -> str:
        self.exchange.refuse(letter.origin, "answer", reason, letter=letter.number)
        return f"refused: {reason}"

    def _lost(self, letter: Letter) -> str:
        """There is no way on from here: say so to who wrote, unless it is an answer itself."""
        said = f"refused: there is no exchange {letter.target}"
        self.exchange.store.letters[letter.number] = replace(letter, state="here")
        if "answer" not in letter.body:
            told = {"answer": letter.number, "event": letter.body.get("event"), "said": said}
            self._write(letter.origin, told)
        return said


def country(file: Path) -> list[Node]:
    """All exchanges of the country of which one is in a file, from the top down; those whose file is not there are left out."""
    node = Node(file)
    while (above := node._settings.get("above")) and (node.file.parent / above).is_file():
        node = Node(node.file.parent / above)
    found = [node]
    for one in found:
        below = json.loads(one._settings.get("below", "{}"))
        paths = (one.file.parent / way for way in below.values())
        found += [Node(path) for path in paths if path.is_file()]
    return found


def carry(nodes: list[Node]) -> list[Hop]:
    """Carry letters until none can be carried any more. It may be ended and begun again at any moment: nothing is lost or done twice.

    Returns
    -------
    list of Hop
        What went where, in order; letters that wait for an exchange that is not there are told once.
    """
    at, hops, moved = {node.file: node for node in nodes}, [], True
    for node in nodes:
        node.tell()
    while moved:
        moved, stuck = False, []
        for node in nodes:
            for number, letter in list(node.exchange.store.letters.items()):
                if letter.state != "waiting":
                    continue
                path = node.way(letter.target)
                if path is None or path not in at:
                    stuck.append(Hop(node.name, letter.target, "waits: the way is not there"))
                    continue
                hops.append(_handed(node, at[path], number, letter))
                moved = True
    return hops + stuck


def _handed(sender: Node, receiver: Node, number: str, letter: Letter) -> Hop:
    enclosed = sender.bag / letter.enclosed
    content = enclosed.read_bytes() if letter.enclosed and enclosed.is_file() else b""
    try:
        what = receiver.take(letter, sender, content)
    except Forged as refusal:
        what = f"refused: {refusal}"
    with sender.exchange.store.transaction():
        sender.exchange.store.letters[number] = replace(letter, state="gone")
    if letter.enclosed:
        enclosed.unlink(missing_ok=True)
    return Hop(sender.name, receiver.name, what)


def _between(name: str, one: str, other: str) -> bool:
    """Whether an exchange is on the way between two others, or one of them."""

    def inside(a: str, b: str) -> bool:
        return f"{b}/".startswith(f"{a}/")

    common = os.path.commonpath([one, other])
    return inside(common, name) and (inside(name, one) or inside(name, other))


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_bytes(content)
    scratch.replace(path)


def _json(details: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in details.items()}
