"""What students hand in, read as leniently as a person would read it.

- ``find``: which file is which notebook of the assignment; ``read``: a valid notebook made of such a file;
  ``time``: when it was handed in. Each says in notes what was unusual.
- ``decoding``: texts in encodings that nobody has named.
"""

from .finding import find
from .reading import read
from .times import time

__all__ = ["find", "read", "time"]
