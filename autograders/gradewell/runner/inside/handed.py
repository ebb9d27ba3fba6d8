"""What the other side may do with an object that is handed over: by its kind, and nothing that its kind does not allow.

Whatever can be called may be called, and an iterator may be asked for its next item. An attribute of either would lead to what a
hidden test keeps there: the arguments of a ``functools.partial``, the frame of a generator.
"""

from __future__ import annotations

import inspect
import io
import os
import sys
import types
from typing import Any

_NEVER = (types.FrameType, types.CodeType, types.ModuleType, types.TracebackType, types.CoroutineType,
          types.AsyncGeneratorType, types.GeneratorType, type)  # fmt: skip
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_CHANCE = {
    (
        "random",
        "Random",
    ): "random randint randrange uniform choice choices sample shuffle gauss normalvariate "
    "lognormvariate expovariate betavariate gammavariate triangular paretovariate weibullvariate vonmisesvariate "
    "getrandbits randbytes binomialvariate",
    (
        "numpy.random",
        "Generator",
    ): "random integers uniform choice shuffle permutation permuted normal standard_normal "
    "lognormal exponential standard_exponential laplace geometric poisson binomial beta gamma bytes multinomial "
    "multivariate_normal dirichlet logistic gumbel triangular",
    (
        "numpy.random",
        "RandomState",
    ): "random rand randn randint uniform choice shuffle permutation normal standard_normal "
    "lognormal exponential laplace geometric poisson binomial beta gamma bytes random_sample multinomial",
}
"""What may be asked of a generator of chance: not for its state, and not to begin anew."""


def attribute(owner: Any, name: str) -> Any:
    """An attribute that the other side may have. Raises AttributeError for any other."""
    if not _declared(owner, name) or inspect.getattr_static(owner, name, _NOTHING) is _NOTHING:
        raise AttributeError(f"{name[:60]!r} of a {type(owner).__name__} cannot be read from here")
    value = getattr(owner, name)
    if isinstance(value, _NEVER):
        raise AttributeError(f"{name[:60]!r} of a {type(owner).__name__} cannot be read from here")
    return value


_NOTHING = object()


def lives(owner: Any, name: str) -> bool:
    """Whether the other side may ask for a special method, such as ``__len__``, of an object."""
    cls = type(owner)
    if name == "__bool__":
        return True
    if hasattr(cls, "__next__"):
        return name in ("__iter__", "__next__")
    if callable(owner) or isinstance(owner, _NEVER):
        return False
    return _says(cls, name) or (
        name == "__str__" and not _is_a_librarys(cls) and _says(cls, "__repr__")
    )


def _declared(owner: Any, name: str) -> bool:
    """Whether a name is part of what an object is for."""
    cls = type(owner)
    if name == "__name__" and isinstance(owner, _FUNCTIONS):
        return True
    if name.startswith("_") or isinstance(owner, _NEVER):
        return False
    if issubclass(cls, io.IOBase):
        return name in _OF_A_FILE
    if callable(owner) or hasattr(cls, "__next__"):
        return False
    for (module, kind), names in _CHANCE.items():
        known = getattr(sys.modules.get(module), kind, None)
        if known is not None and isinstance(owner, known):
            return name in names.split()
    own = [one for one in cls.__mro__ if not _is_a_librarys(one)]
    if own:  # the instructor defines it, for this; not what a library's class above it can do
        kept = vars(owner) if cls.__module__ == "__main__" and hasattr(owner, "__dict__") else ()
        return name in kept or any(_declares(one, name) for one in own)
    return False


_OURS = ("sharewell", "datapolis", "gradewell")
"""Packages whose objects checks hand over to be used. A library's could open files, or run what they are given."""


_OF_A_FILE = {
    "read",
    "readline",
    "readlines",
    "write",
    "writelines",
    "seek",
    "tell",
    "flush",
    "close",
    "closed",
    "getvalue",
}


def _is_a_librarys(cls: type) -> bool:
    """Whether a class comes with Python or an installed library, other than our own."""
    if cls.__module__ == "__main__" or cls.__module__.partition(".")[0] in _OURS:
        return False
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return not file or "-packages" in file or file.startswith(_STANDARD)


_STANDARD = os.path.dirname(os.__file__) + os.sep


def _says(cls: type, name: str) -> bool:
    """Whether a class, or one above it, declares a name."""
    return any(_declares(one, name) for one in cls.__mro__ if one is not object)


def _declares(cls: type, name: str) -> bool:
    return name in vars(cls) or name in vars(cls).get("__annotations__", ())
