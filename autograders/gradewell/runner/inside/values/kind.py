"""What describes a kind of value that crosses: its tag, what it takes, its form, its writer, its reader."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .message import Reader, Writer


class CannotCross(TypeError):
    """A value that cannot be handed to the other process; the text says which."""


@dataclass(frozen=True)
class Change:
    """How a value that can be changed in place is followed through a call.

    Parameters
    ----------
    watch : callable
        From the value to a question that is asked later: has it changed since?
    become : callable
        Makes the first value like the second one, in place.
    content : callable
        What is sent of the changed value.
    """

    watch: Callable[[Any], Callable[[], bool]]
    become: Callable[[Any, Any], None]
    content: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True)
class Kind:
    """One kind of value.

    Parameters
    ----------
    tag : str
        Its name in a message, ``[tag, payload]``.
    takes : callable
        Whether values of a class are of this kind. The first kind of the table that takes a class has it.
    form : form
        What the payload must look like, for ``fits``. It is checked before ``read`` sees it.
    write : callable
        From the writer and a value to the payload; NotImplemented for a value that stays where it is.
    read : callable
        From the reader and a payload to the value. It makes nothing but values of this kind.
    as_json : callable, optional
        Which values JSON has itself: they are written without a tag.
    shared : bool
        Whether an object that occurs twice in a message is one object on the other side too.
    closed : bool
        Whether nothing inside may be a handle: a table must not change between two looks.
    change : Change, optional
        For what a function may change in place.
    """

    tag: str
    takes: Callable[[type], bool]
    form: Any
    write: Callable[[Writer, Any], Any]
    read: Callable[[Reader, Any], Any]
    as_json: Callable[[Any], bool] | None = None
    shared: bool = False
    closed: bool = False
    change: Change | None = None


def fits(form: Any, payload: Any) -> bool:
    """Whether a payload has a form.

    A form is a class (or a union of classes), None, ``...`` for a value of any kind, a tuple of forms for a list of just these, or a list
    with one form for a list of any length.
    """
    if form is ... or form is None:
        return form is ... or payload is None
    if isinstance(form, tuple):
        return type(payload) is list and len(payload) == len(form) and all(map(fits, form, payload))
    if isinstance(form, list):
        return type(payload) is list and (
            form[0] is ... or all(fits(form[0], item) for item in payload)
        )
    return isinstance(payload, form) and (type(payload) is not bool or form is bool)


def only(*classes: type) -> Callable[[type], bool]:
    """Takes just these classes."""
    return lambda cls: cls in classes


def of(module: str, *names: str) -> Callable[[type], bool]:
    """Takes the classes of a library by these names, and what inherits from them, where the library is imported."""

    def takes(cls: type) -> bool:
        library: Any = sys.modules.get(module)
        known = [getattr(library, name, None) for name in names]
        return any(isinstance(one, type) and issubclass(cls, one) for one in known)

    return takes


def named(cls: type) -> str:
    """A class by its name, as messages call it."""
    return str(cls.__name__)[:60]
