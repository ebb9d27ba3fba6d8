"""Two processes that use each other's objects over a socket: values are copied, everything else is reached by a handle.

The student's process answers whatever the judge asks. The judge does not trust what comes back: it is data, it has a
largest size and a longest time, and through the objects that the judge hands over itself (an iterator, a callback, a table
that tells who reads it) the student reaches what ``handed`` allows. What a function changes in place of its arguments comes back
with its answer, unless it was called ``as_copies``.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal's functions without its enumerations, which take ten times as long
import asyncio
import contextlib
import importlib
import io
import linecache
import select
import signal
import socket
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import Any

from . import handed, wire
from .budget import AT_MOST, Meter, Time
from .values import CannotCross, Reader, Writer, kind_of

_ASK, _ANSWER = b"a", b"v"
_TEXT = 4000
"""How much of a message, or of what was printed, crosses."""
_ITEMS = 1_000_000
"""How many items are taken from an iterator."""
_NESTED = 60
"""How many questions may wait for each other's answers."""
_PUT_OFF = (int(signal.SIGINT), int(signal.SIGALRM))
"""Signals that end a wait: an interruption, and the alarm by which a test bounds its own time."""
_LOOK, _GRACE = 0.05, 3.0
"""Seconds between two looks at the time that is used; and those of an interrupted call until nobody waits for it any more."""

# What crosses of an object's life. Comparing and calculating do not: an object that always agrees would decide the test.
_LIFE = [
    "__len__",
    "__getitem__",
    "__setitem__",
    "__delitem__",
    "__iter__",
    "__next__",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "__str__",
    "__enter__",
    "__exit__",
]
_CLAIMS = [
    "lt",
    "le",
    "gt",
    "ge",
    "contains",
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "radd",
    "rsub",
    "rmul",
    "rtruediv",
    "rfloordiv",
    "rmod",
    "rpow",
    "rmatmul",
    "and",
    "or",
    "xor",
    "rand",
    "ror",
    "rxor",
    "neg",
    "pos",
    "abs",
    "invert",
    "round",
]


class Unanswered(Exception):
    """The other process is gone, or did not answer in time; the text says which."""


class TimeLimit(TimeoutError):
    """The other side's code took longer than it may."""


_apart = False


@contextlib.contextmanager
def as_copies() -> Iterator[None]:
    """Meanwhile functions of the other side get copies: what they change in place is not seen here."""
    global _apart
    before, _apart = _apart, True
    try:
        yield
    finally:
        _apart = before


_DOC: Any = property(lambda self: self._peer.attribute(self, "__doc__"))
"""What an object of the other side says of itself."""


class Remote:
    """An object in the other process.

    ``owner`` is the value here whose method it is, and which it may change; ``classes`` are the names of the classes of the notebook's
    own cells whose instance it is, or which it is and inherits from.
    """

    def __init__(
        self, peer: Peer, number: int, about: str, owner: Any = None, classes: Sequence[str] = ()
    ) -> None:
        vars(self).update(
            _peer=peer, _number=number, _about=about, _owner=owner, _classes=tuple(classes)
        )

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self._owner is not None:
            return self._peer.ask("method", self._owner, self._about, list(arguments), named)
        return self._peer.ask("call", self, list(arguments), named)

    def __getattr__(self, name: str) -> Any:
        if name in ("__signature__", "__wrapped__"):
            return _inspected(self, name)
        return self._peer.attribute(self, name)

    __doc__ = _DOC

    def known_as(self, name: str, owner: Any = None) -> Remote:
        """The same, named in messages as it was asked for, whatever it calls itself."""
        return type(self)(self._peer, self._number, name, owner, self._classes)

    def _known(self) -> tuple[type, ...]:
        """Those of its classes that the notebook's cells define on this side too."""
        found = []
        for name in self._classes:
            with contextlib.suppress(CannotCross):
                found.append(self._peer.known_class("__main__", name))
        return tuple(found)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What ``isinstance`` asks for: a class of the instructor's cells, of which it is an instance."""
        known = () if type(self) is RemoteClass else self._known()
        return known[0] if known else type(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise self._peer.refused(
            f"{self._about} stays in the submission's process: it cannot be copied"
        )

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise self._peer.refused(
            f"{self._about} stays in the submission's process: a class here cannot inherit from it"
        )

    def __await__(self) -> Generator[Any, None, Any]:
        return self._peer.ask("await", self)
        yield

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("setattr", self, name, value)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Remote):
            raise self._peer.refused(
                "two objects of the submission cannot be compared; compare what they hold"
            )
        return False  # no object is equal to a value, whatever it says itself

    def __hash__(self) -> int:
        return hash(self._number)

    def __repr__(self) -> str:
        return f"<{self._about} of the submission>"


def settled(of: Any) -> None:
    """Say that whatever kept a question about an object from its answer has been counted: the test need not fail for it."""
    if isinstance(of, Remote):
        vars(of)["_peer"].failed = ""


def remote_module(of: Remote, module: str) -> Any:
    """A module in the process of an object, for what can only be done there."""
    return vars(of)["_peer"].ask("import", module)


def _inspected(of: Remote, name: str) -> Any:
    """What ``inspect`` looks for: a signature, or a function that stands where the source can be read."""
    there = remote_module(of, "inspect")
    try:
        if name == "__signature__":
            return there.signature(of)
        source = there.getsource(of)
    except (OSError, TypeError, ValueError) as error:
        raise AttributeError(name) from error
    if not isinstance(source, str):
        raise AttributeError(name)
    place = f"<submission {vars(of)['_number']}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    code = (lambda: None).__code__.replace(co_filename=place, co_firstlineno=1)
    return types.FunctionType(code, {})


def _life(name: str) -> Callable[..., Any]:
    def special(self: Remote, *arguments: Any) -> Any:
        return self._peer.ask("special", self, name, list(arguments))

    return special


def _claim(name: str) -> Callable[..., Any]:
    def refuse(self: Remote, *_: Any) -> Any:
        raise self._peer.refused(
            f"{self._about} is no value: {name} cannot be asked of it from outside"
        )

    return refuse


class RemoteFunction(Remote):
    # nothing that an iterable has: pandas takes what can be iterated for a list of functions
    __doc__ = _DOC


class RemoteObject(Remote):
    # any other object
    __doc__ = _DOC

    def __iter__(self) -> Any:
        iterator = self._peer.ask("special", self, "__iter__", [])
        for _ in range(_ITEMS):  # it may have no end
            try:
                item = next(iterator)
            except StopIteration:
                return
            yield item
        raise ValueError(f"{self._about} gave more than {_ITEMS:,} items")


class RemoteClass(RemoteObject):
    # a class
    __doc__ = _DOC

    @property
    def __bases__(self) -> tuple[type, ...]:
        """What ``issubclass`` asks for: the classes of the instructor's cells from which it inherits."""
        return self._known()

    def __instancecheck__(self, other: Any) -> bool:
        return bool(self._peer.ask("isinstance", self, other))

    def __subclasscheck__(self, other: Any) -> bool:
        return bool(self._peer.ask("issubclass", self, other))


_SORTS = {"function": RemoteFunction, "class": RemoteClass}
RemoteFunction.__str__ = _life("__str__")  # type: ignore[method-assign]
for _name in set(_LIFE) - {"__iter__"}:
    setattr(RemoteObject, _name, _life(_name))
for _name in _CLAIMS:
    setattr(Remote, f"__{_name}__", _claim(f"__{_name}__"))


class Peer:
    """One end of the connection.

    Parameters
    ----------
    sock : socket
    trusted : bool
        Whether the other side may do anything.
    names : callable
        Gives the namespace that ``name``, ``set`` and ``delete`` are about.
    known_class : callable
        Gives a class of this side's cells by its module's name and its own; raises CannotCross.
    largest : int
        Bytes of a message that are accepted.
    seconds : float
        How long to wait for an answer; 0 for as long as it takes.
    interrupt : callable
        Has the other process interrupted.
    meter : Meter
        What the other process uses: ``seconds`` are of processor time.
    """

    def __init__(
        self,
        sock: socket.socket,
        trusted: bool,
        names: Callable[[], dict[str, Any]],
        known_class: Callable[[str, str], type],
        largest: int,
        seconds: float = 0.0,
        interrupt: Callable[[], None] = lambda: None,
        meter: Meter | None = None,
    ) -> None:
        self.sock, self.trusted, self.names, self.known_class = sock, trusted, names, known_class
        self.largest, self.seconds, self.interrupt, self.meter = largest, seconds, interrupt, meter
        self.asked: Callable[[str], None] = lambda verb: None
        """Called before each question, with its verb."""
        self._given: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._classes: dict[int, type] = {}
        self._theirs: dict[type, int] = {}
        self._accepted = largest
        self._lost = ""
        self._nested = 0
        self._signals: list[int] = []
        self._handlers: dict[int, Any] = {}
        self.failed = ""
        """Why the last question that failed did: not by what the other side's code raised, but because it could not be asked or answered."""

    # -- asking -------------------------------------------------------------------------------------

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Have the other side do something. Raises what it raised there.

        Raises
        ------
        Unanswered
            It is gone, or does not answer.
        CannotCross
            An argument or the answer is neither a value nor can be reached from here.
        """
        try:
            return self._ask(verb, arguments)
        except (CannotCross, Unanswered, TimeLimit) as error:
            self.failed = f"{error}"
            raise

    def _ask(self, verb: str, arguments: tuple[Any, ...]) -> Any:
        if self._lost:
            raise Unanswered(self._lost)
        self.asked(verb)
        writer = Writer(self, self._accepted)
        question = {"ask": verb, "a": [writer.value(a) for a in arguments], "largest": self.largest}
        back = verb in ("call", "method") and not (self.trusted or _apart)
        if back:
            question["back"] = True
        message = writer.message(question)
        if self._nested >= _NESTED:
            raise RecursionError("the test and the submission's code call each other without end")
        self._nested += 1
        with self._signals_put_off():
            try:
                self._send(_ASK, message)
                reader = self._reply()
            except (Unanswered, TimeLimit, wire.Closed):
                raise
            except BaseException:  # later questions must not get what is said to this one
                self._give_up()
                raise
            finally:
                self._nested -= 1
        self._do_what_signals_ask()
        reader.arguments = writer.shared if back else ()
        return self._result(reader, ends=verb == "special" and arguments[1] == "__next__")

    def _reply(self) -> Reader:
        """The answer to the last question; meanwhile the other side's questions are answered."""
        begun, seconds = self._now(), self.seconds
        late = False
        while True:
            if not self._has_come(begun, seconds):
                if late:
                    self._lost = "the submission's process does not answer any more"
                    raise Unanswered(self._lost)
                late, begun, seconds = True, self._now(), _GRACE
                self.interrupt()
                continue
            kind, reader = self._receive()
            if kind == _ASK:
                self._answer(reader)
                continue
            if late:
                raise TimeLimit(f"the submission's code took more than {self.seconds:g} s")
            return reader

    def _give_up(self) -> None:
        """End a question whose answer nobody waits for any more, and hear what is still said to it."""
        if self._lost:
            return
        if self.trusted:  # the judge answers, or has given up itself
            self._reply()
            return
        self.interrupt()
        begun = self._now()
        while self._has_come(begun, _GRACE):
            kind, _ = self._receive()
            if kind == _ANSWER:
                return
            ended = self._outcome(None, RuntimeError("the test has ended"), (), [], {})
            self._send(_ANSWER, ended)
        self._lost = "the submission's process does not answer any more"

    def refused(self, why: str) -> CannotCross:
        """The error of a question that is not even asked."""
        self.failed = why
        return CannotCross(why)

    def attribute(self, owner: Any, name: str) -> Any:
        """An attribute of an object, or of a value, of the other side."""
        shown = name.startswith(("_repr_", "_ipython_"))  # how it is shown here is not its business
        if shown or (name.startswith("__") and name not in ("__name__", "__doc__")):
            raise AttributeError(name)
        found = self.ask("getattr", owner, name)
        if not isinstance(found, Remote):
            return found
        return found.known_as(name, None if isinstance(owner, Remote) else owner)

    def _result(self, reader: Reader, ends: bool) -> Any:
        """What the answer says; ``ends`` where an iterator may say that it has ended, which would end any loop around another question."""
        content = reader.content
        for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
            if said := str(content.get(name, ""))[:_TEXT]:
                print(_plain(said), file=stream, end="")
        self._change(reader)
        if "error" not in content:
            return self._read(reader, content.get("ok"))
        error = content["error"] if isinstance(content["error"], dict) else {}
        kind = self._read(reader, error.get("kind")) or CannotCross
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            kind = Exception
        an_end = issubclass(kind, StopIteration | StopAsyncIteration) and not ends
        if an_end or not issubclass(
            kind, Exception
        ):  # an exit or an interruption there is none here
            kind = RuntimeError
        text = _plain(str(error.get("text", ""))[:_TEXT])
        raised = _made(kind, text, self._read(reader, error.get("holds")))
        for line in str(error.get("where", ""))[:_TEXT].splitlines():
            raised.add_note(_plain(line))
        raise raised

    def _read(self, reader: Reader, content: Any) -> Any:
        """A value that came. Whatever is wrong with it costs the question only."""
        try:
            return reader.value(content)
        except (CannotCross, Unanswered, wire.Closed):
            raise
        except Exception as error:
            raise CannotCross("what came from the submission's process is no value") from error

    def _change(self, reader: Reader) -> None:
        """Change the arguments as they were changed there."""
        changes = []
        try:
            for number, content in reader.content.get("changed", ()):
                mine = dict(enumerate(reader.arguments))[number]
                kind = kind_of(type(mine))
                assert kind is not None and kind.change is not None
                other = reader.part(content, type(kind.change.content(mine)))
                changes.append((kind.change.become, mine, other))
            for become, mine, other in changes:
                become(mine, other)
        except (CannotCross, Unanswered, wire.Closed):
            raise
        except Exception as error:
            raise CannotCross("what the function changed in place cannot come back") from error

    # -- answering ----------------------------------------------------------------------------------

    def serve(self) -> None:
        """Answer one question. Raises wire.Closed when the other side is gone."""
        with self._signals_put_off():
            kind, reader = self._receive()
            if kind == _ASK:
                self._answer(reader)

    def _answer(self, reader: Reader) -> None:
        content = reader.content
        if self.trusted:
            self._accepted = min(self.largest, int(content["largest"]))
        said = io.StringIO(), io.StringIO()
        value: Any = None
        failure: BaseException | None = None
        watched: list[tuple[int, Callable[[], bool]]] = []
        around = sys.stdout, sys.stderr
        try:
            if self.trusted:  # what it prints meanwhile belongs to who asked
                sys.stdout, sys.stderr = said
            arguments = [reader.value(a) for a in content["a"]]
            if not self.trusted:
                self._refuse(str(content["ask"]), content["a"][0], arguments[0])
            if "back" in content and self.trusted:
                watched = _watched(reader.shared)
            with self._signals_let_in():
                value = self._do(str(content["ask"]), arguments)
        except wire.Closed:
            raise
        except BaseException as error:
            failure = error
        finally:
            sys.stdout, sys.stderr = around
        spoken = {
            name: text.getvalue()[:_TEXT] for name, text in zip(("out", "err"), said, strict=True)
        }
        known = reader.shared if watched else ()
        try:
            body = self._outcome(value, failure, known, watched, spoken)
        except wire.Closed:
            raise
        except BaseException as error:
            body = self._outcome(None, error, (), [], spoken)
        self._send(_ANSWER, body)
        if self.trusted:  # an interruption comes too late
            self._signals = [number for number in self._signals if number != signal.SIGINT]
        elif isinstance(failure, KeyboardInterrupt):
            raise failure  # it is the test that is interrupted, not only what it was asked for

    def _refuse(self, verb: str, named: Any, owner: Any) -> None:
        """What the other side may not ask: only of an object that it was given, or of a value whose class it was given.

        Raises
        ------
        CannotCross
            It asks for something else, or made the object up.
        """
        if verb not in ("call", "getattr", "special"):
            raise CannotCross(f"{verb} is not for this side")
        by_number = isinstance(named, list) and named[:1] == ["handle"]
        number = self._numbers.get(id(type(owner)), 0)
        if not by_number and self._given.get(number) is not type(owner):
            raise CannotCross("nothing but what was handed over can be asked")

    def _outcome(
        self,
        value: Any,
        failure: BaseException | None,
        known: Sequence[Any],
        watched: list[tuple[int, Callable[[], bool]]],
        spoken: dict[str, str],
    ) -> bytes:
        writer = Writer(self, self._accepted, known)
        answer: dict[str, Any] = {name: text for name, text in spoken.items() if text}
        changed = [
            [number, writer.part(_content(known[number]))] for number, asks in watched if asks()
        ]
        if changed:
            answer["changed"] = changed
        if failure is None:
            answer["ok"] = writer.value(value)
        else:
            answer["error"] = self._error(failure, writer)
        return writer.message(answer)

    def _do(self, verb: str, arguments: list[Any]) -> Any:
        if verb == "call":
            function, positional, named = arguments
            return function(*positional, **named)
        if verb == "getattr":
            owner, name = arguments
            return getattr(owner, name) if self.trusted else handed.attribute(owner, name)
        if verb == "special":
            owner, name, rest = arguments
            if name not in _LIFE or not (self.trusted or handed.lives(owner, name)):
                raise CannotCross(f"{name} does not cross")
            return _BUILTIN[name](owner, *rest) if name in _BUILTIN else getattr(owner, name)(*rest)
        if verb == "method":
            owner, name, positional, named = arguments
            return getattr(owner, name)(*positional, **named)
        if verb == "await":
            return _awaited(arguments[0])
        if verb == "isinstance":
            kind, value = arguments
            return isinstance(value, kind)
        if verb == "issubclass":
            kind, other = arguments
            return issubclass(other, kind)
        if verb == "setattr":
            setattr(*arguments)
            return None
        if verb == "import":
            return importlib.import_module(arguments[0])
        names = self.names()
        if verb == "set":
            names[arguments[0]] = arguments[1]
            return None
        if arguments[0] not in names:
            raise NameError(f"name {arguments[0]!r} is not defined")
        return names.pop(arguments[0]) and None if verb == "delete" else names[arguments[0]]

    def _error(self, error: BaseException, writer: Writer) -> dict[str, Any]:
        where = ""
        if self.trusted:
            frames = traceback.extract_tb(error.__traceback__)
            inside = [f for f in frames if not f.filename.startswith(_HERE)]
            where = "".join(traceback.format_list(inside[-3:]))
        try:
            text = str(error)
        except Exception:
            text = ""
        kind = None if isinstance(error, CannotCross) else writer.value(type(error))
        arguments = error.args
        if isinstance(error, OSError) and error.filename is not None and len(arguments) == 2:
            arguments = (*arguments, error.filename)
        holds = writer.value([_few(arguments), _few(vars(error))])
        return {"kind": kind, "text": text[:_TEXT], "where": where[-_TEXT:], "holds": holds}

    # -- handles ------------------------------------------------------------------------------------

    def give(self, value: Any) -> list[Any]:
        """What stands for an object of this side; one of the other side goes back as what it is there."""
        if isinstance(value, Remote):
            if value._peer is not self:
                raise CannotCross(f"{value!r} belongs to another submission")
            return ["handle", value._number]
        is_class = isinstance(value, type)
        if is_class and value in self._theirs:
            return ["handle", self._theirs[value]]
        number = self._numbers.setdefault(id(value), len(self._numbers) + 1)
        self._given[number] = value  # kept, so that the number stays its own
        above = [
            (one.__module__, one.__qualname__)
            for one in (value if is_class else type(value)).__mro__
        ]
        if is_class and issubclass(value, BaseException):
            return ["exception", [number, value.__name__, [list(one) for one in above]]]
        name = getattr(value, "__name__", "") if callable(value) else ""
        about = f"{'class' if is_class else type(value).__name__} {name}".strip()[:100]
        sort = "class" if is_class else "function" if isinstance(value, _FUNCTIONS) else "object"
        return [
            "remote",
            [number, about, sort, [one for module, one in above if module == "__main__"]],
        ]

    def own(self, number: int) -> Any:
        """An object of this side that was handed over."""
        if number not in self._given:
            raise CannotCross("an object that was never handed over")
        return self._given[number]

    def remote(self, number: int, about: str, sort: str, classes: Sequence[str]) -> Any:
        """What stands here for an object of the other side: a function, a class or another object."""
        made = _SORTS.get(sort, RemoteObject)
        return made(self, number, _plain(about), classes=classes)

    def made(self, number: int, make: Callable[[], type]) -> type:
        """The class that stands here for one of the other side's."""
        if number not in self._classes:
            made = self._classes[number] = make()
            self._theirs[made] = number
        return self._classes[number]

    # -- the socket ---------------------------------------------------------------------------------

    def _now(self) -> Time:
        return Time(time.monotonic(), 0.0, 0.0) if self.meter is None else self.meter.read()

    @contextlib.contextmanager
    def _signals_put_off(self) -> Iterator[None]:
        """Messages go and come as a whole, each with its answer: what Python would do at a signal waits until it is let in."""
        around, self._handlers = self._handlers, {}
        if threading.current_thread() is threading.main_thread():
            for number in _PUT_OFF:
                if callable(handler := _signal.getsignal(number)):
                    self._handlers[number] = handler
                    _signal.signal(number, lambda number, _: self._signals.append(number))
        handlers = self._handlers
        try:
            yield
        finally:
            self._handlers = around
            for number, handler in handlers.items():
                _signal.signal(number, handler)

    @contextlib.contextmanager
    def _signals_let_in(self) -> Iterator[None]:
        """While code runs that is nobody's message. It may set other handlers."""
        put_off = {number: _signal.getsignal(number) for number in self._handlers}
        try:
            for number, handler in self._handlers.items():
                _signal.signal(number, handler)
            self._do_what_signals_ask()
            yield
        finally:
            for number, handler in put_off.items():
                self._handlers[number] = _signal.signal(number, handler)

    def _do_what_signals_ask(self) -> None:
        signals, self._signals = self._signals, []
        for number in signals:
            handler = self._handlers.get(number) or _signal.getsignal(number)
            if callable(handler):
                handler(number, None)

    def _has_come(self, begun: Time, seconds: float) -> bool:
        """Wait until something can be read. Returns whether it came before more than so many seconds were used."""
        while not seconds or not self._now().since(begun).over(
            seconds
        ):  # also when it keeps talking
            self._do_what_signals_ask()
            if select.select([self.sock], [], [], _LOOK)[0]:
                return True
        return False

    def _send(self, kind: bytes, body: bytes) -> None:
        try:
            self.sock.settimeout(AT_MOST * self.seconds or None)
            wire.send(self.sock, kind, body)
        except OSError as error:
            self._lost = "the submission's process has ended"
            raise Unanswered(self._lost) from error

    def _receive(self) -> tuple[bytes, Reader]:
        self.sock.settimeout(AT_MOST * self.seconds or None)
        try:
            kind, body = wire.receive(self.sock, self.largest)
        except wire.TooLarge as error:
            self._lost = f"the submission's answer is larger than {self.largest / 2**20:,.0f} MiB"
            raise Unanswered(self._lost) from error
        except (wire.Closed, TimeoutError) as error:
            if self.trusted:
                raise
            self._lost = "the submission's process has ended"
            raise Unanswered(self._lost) from error
        try:
            return kind, Reader(body, self)
        except Exception as error:
            self._lost = "the submission's process does not speak the judge's language"
            raise Unanswered(self._lost) from error


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, partial)
_HERE = __file__.rpartition("/")[0]
_BUILTIN: dict[str, Callable[..., Any]] = {
    "__len__": len, "__iter__": iter, "__next__": next, "__bool__": bool, "__float__": float, "__int__": int,
    "__str__": str, "__getitem__": lambda owner, key: owner[key],
}  # fmt: skip


def _watched(values: Sequence[Any]) -> list[tuple[int, Callable[[], bool]]]:
    """For each value that may be changed in place: its number, and whether it has been."""
    found = []
    for number, value in enumerate(values):
        kind = kind_of(type(value))
        if kind is not None and kind.change is not None:
            found.append((number, kind.change.watch(value)))
    return found


def _content(value: Any) -> Any:
    kind = kind_of(type(value))
    assert kind is not None and kind.change is not None
    return kind.change.content(value)


def _awaited(awaitable: Any) -> Any:
    """What comes of an awaitable, in a loop of its own: this is called from within the kernel's."""

    async def outcome() -> Any:
        return await awaitable

    around = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(outcome())
    finally:
        loop.close()
        asyncio._set_running_loop(around)


def _few(content: Any) -> Any:
    """The plain values among an exception's arguments (all of them, or none) or its attributes."""
    if isinstance(content, dict):
        return {
            name: value
            for name, value in content.items()
            if _is_plain(value) and not name.startswith("_")
        }
    return list(content) if all(map(_is_plain, content)) else None


def _is_plain(value: Any) -> bool:
    if type(value) in (str, bytes):
        return len(value) <= _TEXT
    return value is None or type(value) in (bool, int, float)


def _made(kind: type[Exception], text: str, content: Any) -> Exception:
    """An exception of a class, with this text. Its ``__init__`` is Python's own, or is not called: it took other arguments there."""
    arguments: list[Any] = [text]
    attributes: dict[str, Any] = {}
    if type(content) is list and len(content) == 2:
        arguments = content[0] if type(content[0]) is list else arguments
        attributes = content[1] if type(content[1]) is dict else attributes
    make: Any = kind if kind.__module__ == "builtins" else partial(kind.__new__, kind)
    ways: list[Callable[[], Exception]] = [
        lambda: make(*arguments),
        lambda: _saying(kind, text),
        lambda: type(kind.__name__, (Exception,), {})(text),
    ]
    for way in ways:
        with contextlib.suppress(Exception):
            made = way()
            vars(made).update(
                {k: v for k, v in attributes.items() if _is_plain(v) and k[:1] != "_"}
            )
            if str(made) == text:
                break
    return made


def _saying(kind: Any, text: str) -> Any:
    """An exception of a class that shows itself in another way, or wants to be made in another."""
    shown = {"__module__": kind.__module__, "__str__": lambda self: text}
    one: Any = type(kind.__name__, (kind,), shown)
    return one.__new__(one, text)


def _plain(text: str) -> str:
    """Text of the other side without what a terminal or a page would act upon."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
