"""Packing a folder that a student has filled, and unpacking an archive that a student may have made."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

# Before 3.11.4, which Debian 12 has, Python's archives have no filters: what they refuse, _harmless refuses as well.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


PIECE = 1 << 20
_ZEROS = bytes(1 << 16)


class TooMuch(Exception):
    """A folder holds more than may be handed on; the text says of what."""


def pack(
    folder: Path,
    keep_out: Collection[str],
    most: int,
    seconds: float,
    send: Callable[[bytes], None],
) -> None:
    """Send a folder's plain files and folders as a tar archive, piece by piece. Nothing may run that changes them meanwhile.

    Each is opened by its name once, not through a link, and without waiting for anybody; then the descriptor is asked what it is. What cannot
    be read is left out.

    Parameters
    ----------
    keep_out : collection of str
        Names in the folder that are left out.
    most : int
        Bytes, holes included.

    Raises
    ------
    TooMuch
    """
    end = time.monotonic() + seconds
    left = most
    sending: Any = _Sending(send)
    with tarfile.open(fileobj=sending, mode="w|", bufsize=PIECE) as archive:
        for name, number, status in _entries(folder, keep_out):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.mtime = stat.S_IMODE(status.st_mode), status.st_mtime
            if time.monotonic() > end:
                raise TooMuch(f"its folder could not be read in {seconds:g} s")
            if stat.S_ISDIR(status.st_mode):
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
                continue
            entry.size = status.st_size
            left -= entry.size
            if left < 0:
                raise TooMuch(f"its folder holds more than {most / 2**20:,.0f} MiB")
            with open(number, "rb", closefd=False) as file:
                archive.addfile(entry, file)


def look_of(folder: Path, keep_out: Collection[str]) -> list[tuple[object, ...]]:
    """What differs when something in a folder has changed: the times of changes are the system's, and nobody can set them back."""
    return [
        (name, status.st_ino, status.st_size, status.st_mode, status.st_ctime_ns)
        for name, _, status in _entries(folder, keep_out)
    ]


def _entries(folder: Path, keep_out: Collection[str]) -> Iterator[tuple[str, int, os.stat_result]]:
    """The plain files and folders, each as a path from here, an open descriptor, and what that is; in order."""
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    waiting = ["."]
    try:
        while waiting:
            here = waiting.pop()
            try:
                above = os.open(here, _LOOKING | os.O_DIRECTORY, dir_fd=root)
            except OSError:
                continue
            below = []
            try:
                for name in sorted(os.listdir(above)):
                    path = name if here == "." else f"{here}/{name}"
                    if path in keep_out:
                        continue
                    try:
                        number = os.open(name, _LOOKING, dir_fd=above)
                    except OSError:
                        continue
                    try:
                        status = os.fstat(number)
                        if stat.S_ISDIR(status.st_mode) and path.count("/") < _DEEPEST:
                            below.append(path)
                            yield path, number, status
                        elif stat.S_ISREG(status.st_mode):
                            yield path, number, status
                    finally:
                        os.close(number)
            finally:
                os.close(above)
            waiting += reversed(below)
    finally:
        os.close(root)


_LOOKING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_DEEPEST = 60
"""Folders in folders."""


class _Sending:
    """A file to write to, for an archive."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.write = send


def unpack(
    packed: bytes,
    folder: Path,
    reserved: Callable[[str], bool] = lambda name: False,
    leave_out: Collection[str] = (),
    renamed: Callable[[str], str] = str,
) -> None:
    """Write the plain files and folders of a tar archive into ``folder``, and nothing outside of it.

    Parameters
    ----------
    reserved : callable
        Whether a name in the folder itself is left out.
    leave_out : collection of str
        Files that are left out.
    renamed : callable
        How a file or folder is called here.

    Raises
    ------
    OSError
        They do not fit.
    """
    left_out = {PurePosixPath(name) for name in leave_out}
    with _Archive.open(fileobj=io.BytesIO(packed)) as archive:
        members = [
            entry
            for entry in _renamed(archive, renamed)
            if _harmless(entry)
            and not _stands_for(entry, left_out)
            and not reserved(PurePosixPath(entry.name).parts[0])
        ]
        archive.extractall(folder, members, **_FILTER)


def _renamed(
    archive: Iterable[tarfile.TarInfo], renamed: Callable[[str], str]
) -> Iterator[tarfile.TarInfo]:
    for entry in archive:
        entry.name = str(PurePosixPath(*map(renamed, PurePosixPath(entry.name).parts)))
        yield entry


class _Archive(tarfile.TarFile):
    """An archive of which long zeros become holes, as they may have been before."""

    def makefile(self, tarinfo: tarfile.TarInfo, targetpath: Any) -> None:
        """See tarfile, which calls it for each plain file."""
        content = self.extractfile(tarinfo)
        assert content is not None
        with open(targetpath, "wb") as file:
            while piece := content.read(len(_ZEROS)):
                if piece == _ZEROS[: len(piece)]:
                    file.seek(len(piece), os.SEEK_CUR)
                else:
                    file.write(piece)
            file.truncate()


def _harmless(entry: tarfile.TarInfo) -> bool:
    """Whether it is a plain file or folder below the archive's own; then it is made nobody else's, and no program that acts as its owner."""
    path = PurePosixPath(entry.name)
    if not (entry.isfile() or entry.isdir()) or path.is_absolute() or ".." in path.parts:
        return False
    entry.mode = 0o755 if entry.isdir() else entry.mode & 0o755 | 0o600
    entry.uid, entry.gid, entry.uname, entry.gname = os.getuid(), os.getgid(), "", ""
    return True


def _stands_for(entry: tarfile.TarInfo, left_out: Collection[PurePosixPath]) -> bool:
    """Whether it stands in the place of one of these files, or of a folder that holds one."""
    path = PurePosixPath(entry.name)
    if path in left_out or any(above in left_out for above in path.parents):
        return True
    return not entry.isdir() and any(path in one.parents for one in left_out)
