"""NumPy's kinds: arrays of every dtype, scalars, dtypes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .kind import CannotCross, Change, Kind, named, of

if TYPE_CHECKING:
    from .message import Reader, Writer

_PLAIN = "biufcmMSUV"
_SHAPES = {"ndarray", "recarray", "matrix"}


# -- dtypes --------------------------------------------------------------------------------------------


def _write_dtype(writer: Writer, dtype: Any) -> Any:
    """A text, or a list that begins with what it describes."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return ["of", _write_dtype(writer, base), list(shape)]
    if dtype.names is not None:
        fields = [
            [name, _write_dtype(writer, dtype.fields[name][0]), dtype.fields[name][1]]
            for name in dtype.names
        ]
        return ["record", fields, dtype.itemsize, bool(dtype.isalignedstruct)]
    if dtype.kind == "T":
        missing = [writer.value(dtype.na_object)] if hasattr(dtype, "na_object") else []
        return ["strings", missing, bool(dtype.coerce)]
    if dtype.kind not in _PLAIN + "O":
        raise CannotCross(f"an array of {dtype}")
    return dtype.str


def _read_dtype(reader: Reader, payload: Any) -> Any:
    import numpy as np

    if isinstance(payload, str):
        dtype = np.dtype(payload)
        if dtype.names is not None or dtype.subdtype is not None or dtype.kind not in _PLAIN + "O":
            raise CannotCross("a dtype that there is not")
        return dtype
    kind, *rest = payload
    if kind == "of":
        return np.dtype((_read_dtype(reader, rest[0]), tuple(rest[1])))
    if kind == "strings":
        missing = {"na_object": reader.value(rest[0][0])} if rest[0] else {}
        return np.dtypes.StringDType(coerce=bool(rest[1]), **missing)
    if kind != "record":
        raise CannotCross("a dtype that there is not")
    fields, size, aligned = rest
    described = {
        "names": [str(name) for name, _, _ in fields],
        "formats": [_read_dtype(reader, one) for _, one, _ in fields],
        "offsets": [int(offset) for _, _, offset in fields],
        "itemsize": int(size),
    }
    return np.dtype(described, align=bool(aligned))  # type: ignore[call-overload]


# -- arrays --------------------------------------------------------------------------------------------


def _write_array(writer: Writer, value: Any) -> list[Any]:
    import numpy as np

    plain = np.asarray(value)
    shape = next(
        (one for one in ("recarray", "matrix") if isinstance(value, getattr(np, one))), "ndarray"
    )
    order: Any = "F" if plain.flags.f_contiguous and not plain.flags.c_contiguous else "C"
    dtype = plain.dtype
    head = [
        shape,
        _write_dtype(writer, dtype),
        list(plain.shape),
        order,
        bool(value.flags.writeable),
    ]
    if dtype.hasobject or dtype.kind == "T":
        return [*head, _write_items(writer, plain.ravel(order).tolist())]
    writer.room(plain.nbytes)
    return [*head, writer.blob(plain.tobytes(order))]


def _write_items(writer: Writer, items: list[Any]) -> list[Any]:
    found = []
    for place, item in enumerate(items):
        try:
            found.append(writer.value(item))
        except CannotCross as error:
            raise CannotCross(f"at position {place}: {error}") from None
    return found


def _read_array(reader: Reader, payload: Any) -> Any:
    import numpy as np

    kind, described, shape, order, writeable, content = payload
    if kind not in _SHAPES or order not in ("C", "F"):
        raise CannotCross("an array of a kind that there is not")
    dtype = _read_dtype(reader, described)
    if dtype.hasobject or dtype.kind == "T":
        items = [reader.value(item) for item in content]
        made = np.empty(len(items), dtype=dtype)
        for place, item in enumerate(items):  # one by one: lists are items, not dimensions
            made[place] = item
        made = made.reshape(tuple(shape), order=order)
    else:
        made = np.ndarray(tuple(shape), dtype, reader.blob(content), order=order).copy(order)
    if kind != "ndarray":
        made = made.view(getattr(np, kind))
    made.flags.writeable = writeable
    return made


def _watch_array(value: Any) -> Callable[[], bool]:
    import numpy as np

    plain = np.asarray(value)
    if plain.dtype.hasobject or plain.dtype.kind == "T":
        before: Any = plain.ravel().tolist()
        return lambda: (
            np.shape(value) != plain.shape
            or any(
                a is not b for a, b in zip(np.asarray(value).ravel().tolist(), before, strict=True)
            )
        )
    was = plain.dtype, plain.shape, plain.tobytes()
    return lambda: (value.dtype, value.shape, np.asarray(value).tobytes()) != was


def _become_array(mine: Any, other: Any) -> None:
    if mine.shape != other.shape or mine.dtype != other.dtype:
        raise CannotCross("an array got another shape or dtype in place; only its items may change")
    mine[...] = other


# -- masked arrays -------------------------------------------------------------------------------------


def _write_masked(writer: Writer, value: Any) -> Any:
    import numpy as np

    usual = str(value.fill_value) == str(np.ma.default_fill_value(value))
    fill = None if usual else writer.part(np.asarray(value.fill_value))
    mask = None if value.mask is np.ma.nomask else writer.part(np.asarray(value.mask))
    return [writer.part(np.asarray(value.data)), mask, fill, bool(value.hardmask)]


def _read_masked(reader: Reader, payload: Any) -> Any:
    import numpy as np

    data, mask, fill, hard = payload
    mask = np.ma.nomask if mask is None else reader.part(mask, np.ndarray)
    made: Any = np.ma.MaskedArray(reader.part(data, np.ndarray), mask=mask, hard_mask=hard)
    if fill is not None:
        made.set_fill_value(reader.part(fill, np.ndarray)[()])
    return made


def _watch_masked(value: Any) -> Callable[[], bool]:
    import numpy as np

    questions = [_watch_array(value.data), _watch_array(np.ma.getmaskarray(value))]
    before = np.ma.getmaskarray(value).copy()
    return lambda: questions[0]() or bool((np.ma.getmaskarray(value) != before).any())


def _become_masked(mine: Any, other: Any) -> None:
    _become_array(mine.data, other.data)
    mine.mask = other.mask


# -- scalars -------------------------------------------------------------------------------------------


def _write_scalar(writer: Writer, value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.str_ | np.bytes_):  # whose trailing zeros an array drops
        plain = str.__str__(value) if isinstance(value, np.str_) else bytes.__bytes__(value)
        return [None, writer.value(plain)]
    return [[], writer.part(np.array(value))]


def _read_scalar(reader: Reader, payload: Any) -> Any:
    import numpy as np

    if payload[0] is None:
        plain = reader.value(payload[1])
        return np.str_(plain) if isinstance(plain, str) else np.bytes_(reader.part(plain, bytes))
    made = reader.part(payload[1], np.ndarray)
    if made.shape != ():
        raise CannotCross("a scalar that is an array")
    return made[()]


def _is_array(cls: type) -> bool:
    return of("numpy", "ndarray")(cls) and not _is_masked(cls)


def _is_masked(cls: type) -> bool:
    numpy: Any = sys.modules.get("numpy")
    return numpy is not None and issubclass(cls, numpy.ma.MaskedArray)


def _is_masked_constant(cls: type) -> bool:
    return _is_masked(cls) and named(cls) == "MaskedConstant"


def _read_masked_constant(reader: Reader, payload: Any) -> Any:
    import numpy as np

    return np.ma.masked


KINDS: list[Kind] = [
    Kind("masked", _is_masked_constant, None, lambda w, v: None, _read_masked_constant),
    Kind("masked array", _is_masked, (..., ..., ..., bool), _write_masked, _read_masked, shared=True, closed=True,
         change=Change(_watch_masked, _become_masked)),
    Kind("array", _is_array, (str, ..., [int], str, bool, ...), _write_array, _read_array, shared=True,
         closed=True, change=Change(_watch_array, _become_array)),
    Kind("dtype", of("numpy", "dtype"), ..., _write_dtype, _read_dtype, closed=True),
    Kind("scalar", of("numpy", "generic"), (..., ...), _write_scalar, _read_scalar, closed=True),
]  # fmt: skip
"""In the order in which they are asked."""
