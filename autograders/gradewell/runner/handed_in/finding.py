"""Which file is which notebook of the assignment, whatever browsers and platforms made of its name."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

DEEPEST = 8
MOST = 20_000
"""How deep below the submission, and among how many files and folders, notebooks are looked for."""

ENDING = re.compile(r"(\.ipynb)+(\.json|\.txt)?$|(?<=.)\.json$", re.IGNORECASE)
ADDED = re.compile(
    r"""
      ^(copy\ of|副本)\ +                             # Google Drive
    | ^[^_]+(_late)?_\d+_\d+_                         # Canvas
    | ^.+_attempt_\d{4}(-\d\d){5}_                    # Blackboard
    | ^.+_assignsubmission_file_                      # Moodle
    | [ _]?\(\d{1,3}\)$ | [ _]?（\d{1,3}）$ | -\d{1,3}$ # browsers
    | -copy\d*$                                       # JupyterLab
    | (\ -)?\ copy(\ \d{1,3})?$                       # Windows, macOS
    | (\ -)?\ ?的?副本(\ ?\d{1,3})?$
    | (\.ipynb|\.txt)$                               # "lab.ipynb (1).txt"
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What copying, downloading and collecting puts before or after a name."""


def find(folder: Path, wanted: Collection[str]) -> tuple[dict[str, Path], list[str]]:
    """Find an assignment's notebooks in a submission.

    Parameters
    ----------
    folder : Path
        Of one submission. Links are followed only to files in it; hidden files and folders are not looked at.
    wanted : collection of str
        The names of all of the assignment's notebooks, without ``.ipynb``.

    Returns
    -------
    dict
        Name to file, where a file bears the name or beyond doubt is meant.
    list of str
        What was taken for which notebook, and which are not there, each as a sentence without capital and full stop.
    """
    files = sorted(_files(folder), key=lambda path: (len(path.parts), path))
    whose = {path: _owner(path.name, wanted) for path in files}
    found = {name: folder / f"{name}.ipynb" for name in wanted if folder / f"{name}.ipynb" in whose}
    notes = []
    unclear = []
    for name in sorted(set(wanted) - found.keys()):
        meant = [path for path in files if whose[path] == name]
        here = [path for path in meant if path.parent == folder and _is_spelling(path.name, name)]
        candidates = here or meant
        if len(candidates) == 1:
            found[name] = candidates[0]
            notes.append(f"{candidates[0].relative_to(folder)} was taken for {name}.ipynb")
        elif candidates:
            unclear.append(name)
            notes.append(
                f"{_listed(candidates, folder)} could each be {name}.ipynb: hand in only one of them"
            )
    missing = sorted(set(wanted) - found.keys() - set(unclear))
    others = [path for path in files if whose[path] is None and ".ipynb" in path.name.casefold()]
    if len(missing) == len(others) == 1 and not unclear:
        found[missing[0]] = others[0]
        notes.append(f"{others[0].relative_to(folder)} was taken for {missing[0]}.ipynb")
        missing = []
    only = f", only {_listed(others, folder)}: rename it" if others else ""
    notes += [f"there is no {name}.ipynb{only}" for name in missing]
    return found, notes


def _files(folder: Path) -> Iterator[Path]:
    """Files that may be notebooks, of as much of a submission as a person would look at."""
    own = folder.resolve()
    left = [(folder, 0)]
    seen = 0
    while left:
        here, depth = left.pop(0)
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if seen > MOST:
                return
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            path = here / entry.name
            if entry.is_dir(follow_symlinks=False):
                if depth < DEEPEST:
                    left.append((path, depth + 1))
            elif _may_be_notebook(entry.name) and _is_own_file(path, own):
                yield path


def _may_be_notebook(file: str) -> bool:
    return file.casefold().endswith(".json") or ".ipynb" in file.casefold()


def _is_own_file(path: Path, folder: Path) -> bool:
    """Whether it is an ordinary file, or a link to one, in the submission."""
    try:
        return path.is_file() and path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # a link to itself
        return False


def _owner(file: str, wanted: Collection[str]) -> str | None:
    """The notebook whose name a file bears, with as little as possible taken away; a name may look like another's copy."""
    names = {_alike(name): name for name in wanted}
    rest = ENDING.sub("", _alike(file))
    while rest:
        if rest in names:
            return names[rest]
        shorter = ADDED.sub("", rest, count=1).strip(" “”\"'")
        if shorter == rest:
            break
        rest = shorter
    return None


def _is_spelling(file: str, name: str) -> bool:
    """Whether it is the name itself, with another ending or in other letters."""
    return ENDING.sub("", _alike(file)) == _alike(name)


def _alike(name: str) -> str:
    """Equal for names that differ in case, or in how a system writes accents."""
    return unicodedata.normalize("NFC", name).casefold()


def _listed(paths: list[Path], folder: Path) -> str:
    names = [str(path.relative_to(folder)) for path in paths]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
