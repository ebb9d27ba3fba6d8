"""Two processes that use each other's objects over a socket: values are copied, everything else is reached by a handle.

The student's process answers whatever the judge asks. The judge does not trust what comes back: it is data, it has a
largest size and a longest time, and through the objects that the judge hands over itself (an iterator, a callback, a table
that tells who reads it) the student reaches their public side only.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import inspect
import io
import socket
import sys
import time
import traceback
import types
from collections.abc import Callable
from typing import Any

from . import wire
from .values import CannotCross, Reader, Writer

_ASK, _ANSWER = b"a", b"v"
_TEXT = 4000
"""How much of a message, or of what was printed, crosses."""
_ITEMS = 1_000_000
"""How many items are taken from an iterator."""

# What crosses of an object's life. Comparing and calculating do not: an object that always agrees would decide the test.
_LIFE = [
    "__len__",
    "__getitem__",
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


class Remote:
    """An object in the other process."""

    def __init__(self, peer: Peer, number: int, about: str) -> None:
        vars(self).update(_peer=peer, _number=number, _about=about)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._peer.ask("call", self, list(arguments), named)

    def __getattr__(self, name: str) -> Any:
        shown = name.startswith(("_repr_", "_ipython_"))  # how it is shown here is not its business
        if shown or (name.startswith("__") and name not in ("__name__", "__doc__")):
            raise AttributeError(name)
        found = self._peer.ask("getattr", self, name)
        return found.known_as(name) if isinstance(found, Remote) else found

    def known_as(self, name: str) -> Remote:
        """The same, named in messages as it was asked for, whatever it calls itself."""
        return Remote(self._peer, self._number, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("setattr", self, name, value)

    def __iter__(self) -> Any:
        iterator = self._peer.ask("special", self, "__iter__", [])
        for _ in range(_ITEMS):  # it may have no end
            try:
                item = next(iterator)
            except StopIteration:
                return
            yield item
        raise ValueError(f"{self._about} gave more than {_ITEMS:,} items")

    def __instancecheck__(self, other: Any) -> bool:
        return bool(self._peer.ask("isinstance", self, other))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Remote):
            raise CannotCross(
                "two objects of the submission cannot be compared; compare what they hold"
            )
        return False  # no object is equal to a value, whatever it says itself

    def __hash__(self) -> int:
        return hash(self._number)

    def __repr__(self) -> str:
        return f"<{self._about} of the submission>"


def remote_module(of: Remote, module: str) -> Any:
    """A module in the process of an object, for what can only be done there."""
    return vars(of)["_peer"].ask("import", module)


def _life(name: str) -> Callable[..., Any]:
    def special(self: Remote, *arguments: Any) -> Any:
        return self._peer.ask("special", self, name, list(arguments))

    return special


def _claim(name: str) -> Callable[..., Any]:
    def refuse(self: Remote, *_: Any) -> Any:
        raise CannotCross(f"{self._about} is no value: {name} cannot be asked of it from outside")

    return refuse


for _name in set(_LIFE) - {"__iter__"}:
    setattr(Remote, _name, _life(_name))
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
    dataclass : callable
        Gives the class for a dataclass that arrives, from its module's name and its own; raises CannotCross.
    largest : int
        Bytes of a message that are accepted.
    seconds : float
        How long to wait for an answer; 0 for as long as it takes.
    interrupt : callable
        Has the other process interrupted.
    """

    def __init__(
        self,
        sock: socket.socket,
        trusted: bool,
        names: Callable[[], dict[str, Any]],
        dataclass: Callable[[str, str], type],
        largest: int,
        seconds: float = 0.0,
        interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        self.sock, self.trusted, self.names, self.dataclass = sock, trusted, names, dataclass
        self.largest, self.seconds, self.interrupt = largest, seconds, interrupt
        self.asked: Callable[[str], None] = lambda verb: None
        """Called before each question, with its verb."""
        self._given: dict[int, Any] = {}
        self._exceptions: dict[int, type[BaseException]] = {}
        self._lost = ""

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
        if self._lost:
            raise Unanswered(self._lost)
        self.asked(verb)
        writer = Writer(self._give)
        self._send(_ASK, writer.message({"ask": verb, "a": [writer.value(a) for a in arguments]}))
        end = time.monotonic() + self.seconds if self.seconds else 0.0
        late = False
        while True:
            try:
                if end and time.monotonic() > end:  # also when it keeps talking
                    raise TimeoutError
                kind, reader = self._receive(end)
            except TimeoutError:
                if late:
                    self._lost = "the submission's process does not answer any more"
                    raise Unanswered(self._lost) from None
                late, end = True, time.monotonic() + 3
                self.interrupt()
                continue
            if kind == _ASK:
                self._answer(reader)
                continue
            if late:
                raise TimeoutError(f"the submission's code took more than {self.seconds:g} s")
            return self._result(reader)

    def _result(self, reader: Reader) -> Any:
        content = reader.content
        for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
            if said := str(content.get(name, ""))[:_TEXT]:
                print(f"The submission printed: {_plain(said)}", file=stream)
        if "error" not in content:
            return reader.value(content.get("ok"))
        error = content["error"]
        kind = reader.value(error["kind"])
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            kind = Exception
        if not issubclass(kind, Exception):  # an exit or an interruption there is none here
            kind = RuntimeError
        raised = _made(kind, _plain(str(error["text"])[:_TEXT]))
        for line in str(error.get("where", ""))[:_TEXT].splitlines():
            raised.add_note(_plain(line))
        raise raised

    # -- answering ----------------------------------------------------------------------------------

    def serve(self) -> None:
        """Answer one question. Raises wire.Closed when the other side is gone."""
        kind, reader = self._receive(0.0)
        if kind == _ASK:
            self._answer(reader)

    def _answer(self, reader: Reader) -> None:
        content = reader.content
        writer = Writer(self._give)
        said = io.StringIO(), io.StringIO()
        try:
            with contextlib.ExitStack() as stack:
                if self.trusted:  # what it prints meanwhile belongs to who asked
                    stack.enter_context(contextlib.redirect_stdout(said[0]))
                    stack.enter_context(contextlib.redirect_stderr(said[1]))
                value = self._do(str(content["ask"]), [reader.value(a) for a in content["a"]])
            answer = {"ok": writer.value(value)}
        except wire.Closed:
            raise
        except BaseException as error:
            writer = Writer(self._give)
            answer = {"error": self._error(error, writer)}
        for name, text in zip(("out", "err"), said, strict=True):
            answer[name] = text.getvalue()[:_TEXT]
        self._send(_ANSWER, writer.message(answer))

    def _do(self, verb: str, arguments: list[Any]) -> Any:
        if verb not in ("call", "getattr", "special") and not self.trusted:
            raise CannotCross(f"{verb} is not for this side")
        if verb == "call":
            function, positional, named = arguments
            return function(*positional, **named)
        if verb == "getattr":
            owner, name = arguments
            return getattr(owner, name) if self.trusted else _public(owner, name)
        if verb == "special":
            owner, name, rest = arguments
            if name not in _LIFE:
                raise CannotCross(f"{name} does not cross")
            return _BUILTIN[name](owner, *rest) if name in _BUILTIN else getattr(owner, name)(*rest)
        if verb == "isinstance":
            kind, value = arguments
            return isinstance(value, kind)
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
        return {"kind": writer.value(type(error)), "text": text[:_TEXT], "where": where[-_TEXT:]}

    # -- handles ------------------------------------------------------------------------------------

    def _give(self, value: Any) -> dict[str, Any]:
        """A handle for an object of this side; one of the other side goes back as what it is there."""
        if isinstance(value, Remote):
            if value._peer is not self:
                raise CannotCross(f"{value!r} belongs to another submission")
            return {"t": "handle", "id": value._number}
        number = id(value)
        self._given[number] = value  # kept, so that the number stays its own
        if isinstance(value, type) and issubclass(value, BaseException):
            known = next(k for k in value.__mro__ if k.__module__ == "builtins")
            return {"t": "exception", "id": number, "name": value.__name__, "base": known.__name__}
        name = getattr(value, "__name__", "") if callable(value) else ""
        kind = "class" if isinstance(value, type) else type(value).__name__
        about = f"{kind} {name}".strip()[:100]
        return {"t": "remote", "id": number, "about": about}

    def _take(self, content: dict[str, Any]) -> Any:
        number = int(content["id"])
        if content["t"] == "handle":
            if number not in self._given:
                raise CannotCross("an object that was never handed over")
            return self._given[number]
        if content["t"] == "exception":
            if number not in self._exceptions:
                base = getattr(builtins, str(content["base"]), Exception)
                base = base if isinstance(base, type) and issubclass(base, Exception) else Exception
                self._exceptions[number] = type(str(content["name"])[:100], (base,), {})
            return self._exceptions[number]
        about = _plain(str(content["about"]))
        return Remote(self, number, about)

    # -- the socket ---------------------------------------------------------------------------------

    def _send(self, kind: bytes, body: bytes) -> None:
        if len(body) > self.largest:
            raise CannotCross(f"a value is larger than {self.largest / 2**20:,.0f} MiB")
        try:
            self.sock.settimeout(self.seconds or None)
            wire.send(self.sock, kind, body)
        except OSError as error:
            self._lost = "the submission's process has ended"
            raise Unanswered(self._lost) from error

    def _receive(self, end: float) -> tuple[bytes, Reader]:
        self.sock.settimeout(max(0.01, end - time.monotonic()) if end else None)
        try:
            kind, body = wire.receive(self.sock, self.largest)
        except wire.TooLarge as error:
            self._lost = f"the submission's answer is larger than {self.largest / 2**20:,.0f} MiB"
            raise Unanswered(self._lost) from error
        except wire.Closed as error:
            if self.trusted:
                raise
            self._lost = "the submission's process has ended"
            raise Unanswered(self._lost) from error
        try:
            return kind, Reader(body, self._take, self.dataclass)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self._lost = "the submission's process does not speak the judge's language"
            raise Unanswered(self._lost) from error


_HERE = __file__.rpartition("/")[0]
_BUILTIN: dict[str, Callable[..., Any]] = {
    "__len__": len, "__iter__": iter, "__next__": next, "__bool__": bool, "__float__": float, "__int__": int,
    "__str__": str, "__getitem__": lambda owner, key: owner[key],
}  # fmt: skip
_CLOSED = (
    types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.GeneratorType, types.FrameType,
    types.CodeType, types.ModuleType, types.CoroutineType, types.AsyncGeneratorType, types.TracebackType, type,
)  # fmt: skip


def _public(owner: Any, name: str) -> Any:
    """An attribute that the other side may have: of an object's public side, and nothing that leads into the judge."""
    if name.startswith("_") or isinstance(owner, _CLOSED):
        raise AttributeError(f"{name!r} cannot be read from here")
    found = inspect.getattr_static(owner, name, None)
    if found is None:
        raise AttributeError(f"{type(owner).__name__!r} has no attribute {name!r}")
    value = getattr(owner, name)
    if isinstance(value, types.FrameType | types.CodeType | types.ModuleType | type):
        raise AttributeError(f"{name!r} cannot be read from here")
    return value


def _made(kind: type[Exception], text: str) -> Exception:
    try:
        return kind(text)
    except Exception:  # some want more arguments
        return type(kind.__name__, (Exception,), {})(text)


def _plain(text: str) -> str:
    """Text of the other side without what a terminal or a page would act upon."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
