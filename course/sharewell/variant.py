"""Each student's own variant of a lab: from a code that the instructor hands out.

A code is derived from the course's secret and the student's id with HMAC (RFC 2104): nobody can work out another one's, and who
knows the secret can derive all. The grader derives the same, so a number copied from a neighbour is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from sharewell.errors import SharewellError

VARIABLE = "SHAREWELL_CODE"
FILE = ".sharewell-code"
"""Holds a student's code, in a folder or in one above."""
_LETTERS = str.maketrans("018", "OIB")  # as they are misread; base 32 has none of these digits
_told: set[str] = set()


def my_seed(lab: str) -> int:
    """The seed of your own variant of a lab's data.

    It follows from your code, which ``sharewell me CODE`` keeps. Without one you get the practice variant, the same
    for everybody, and are told so once.

    Returns
    -------
    int
        0 to 2**63 - 1.

    Raises
    ------
    SharewellError
        The code that was kept is none.
    """
    code = my_code()
    if code is None and lab not in _told:
        _told.add(lab)
        print(
            "You see the practice variant. For your own, run `sharewell me CODE` in a terminal, with the code that your "
            "instructor gave you, and start again from the top."
        )
    key = "practice" if code is None else checked(code)
    return int.from_bytes(_mac(key, lab)[:8], "big") >> 1


def my_code() -> str | None:
    """The code from the environment, or from ``.sharewell-code`` in this folder or one above; None without."""
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return (folder / FILE).read_text(encoding="utf-8").strip()
    return None


def keep(code: str, folder: Path) -> Path:
    """Keep a code for the labs in a folder and below. Returns the file.

    Raises
    ------
    SharewellError
        It is no code, or there is no such folder.
    """
    code = checked(code)
    if not folder.is_dir():
        raise SharewellError(f"there is no folder {folder}. Make yours with: sharewell start")
    path = folder / FILE
    path.touch(mode=0o600)
    path.write_text(code + "\n", encoding="utf-8")
    return path


def code_of(student: str, secret: str) -> str:
    """A student's code: five groups of four letters and digits, of which the last finds typing errors."""
    return _grouped(base64.b32encode(_mac(secret, f"student {student}")[:10]).decode())


def environment(secret: str) -> Callable[[str], dict[str, str]]:
    """For ``c.Runner.student_environment``: gives each student's notebooks their code."""
    return lambda student: {VARIABLE: code_of(student, secret)}


def checked(code: str) -> str:
    """A code as it is written by us: capital letters, groups, and what is easily misread put right.

    Raises
    ------
    SharewellError
        It is no code.
    """
    plain = "".join(c for c in code.upper() if c.isalnum()).translate(_LETTERS)
    if len(plain) != 20 or _grouped(plain[:16]) != _groups(plain):
        raise SharewellError(
            f"{code!r} is no code: one has five groups of four letters and digits, such as "
            f"{code_of('you', 'an example')}. Copy it from what your instructor gave you"
        )
    return _groups(plain)


def _grouped(key: str) -> str:
    return _groups(key + base64.b32encode(hashlib.sha256(key.encode()).digest())[:4].decode())


def _groups(plain: str) -> str:
    return "-".join(plain[n : n + 4] for n in range(0, len(plain), 4))


def _mac(key: str, message: str) -> bytes:
    named = message.encode(errors="surrogateescape")  # a folder's name may be no UTF-8
    return hmac.new(key.encode(), named, hashlib.sha256).digest()
