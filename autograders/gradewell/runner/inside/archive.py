"""Unpacking an archive that a student may have made."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

# Before 3.11.4, which Debian 12 has, Python's archives have no filters: what they refuse, _harmless refuses as well.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def unpack(packed: bytes, folder: Path, leave_out: Collection[str] = ()) -> None:
    """Write the plain files and folders of a tar archive into ``folder``, but for those named, and nothing outside of it.

    Raises
    ------
    OSError
        They do not fit.
    """
    left_out = {PurePosixPath(name) for name in leave_out}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = [
            entry for entry in archive if _harmless(entry) and not _stands_for(entry, left_out)
        ]
        archive.extractall(folder, members, **_FILTER)


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
