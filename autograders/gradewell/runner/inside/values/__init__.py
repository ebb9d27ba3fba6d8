"""Values that cross between the student's process and the judge's, as JSON and bytes; never pickle.

``table.KINDS`` says of every kind of value how it is written, what is checked before it is read, and how. What has no value of this kind
(functions, classes, objects with a life of their own) stays where it is, and a handle crosses.
"""

from .kind import CannotCross, Kind
from .message import DEPTH, Ends, Reader, Writer, changeable, kind_of
from .table import KINDS

__all__ = [
    "DEPTH",
    "KINDS",
    "CannotCross",
    "Ends",
    "Kind",
    "Reader",
    "Writer",
    "changeable",
    "kind_of",
]
