"""What a student's archive may write: plain files and folders below the folder, on every Python that we run on."""

import io
import stat
import tarfile

import pytest
from gradewell.runner.inside import archive


def packed(*entries):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, kind, more in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            content = b""
            if kind == tarfile.REGTYPE:
                content = b"here"
                entry.size, entry.mode = len(content), more
            elif isinstance(more, str):
                entry.linkname = more
            else:
                entry.mode = more
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


@pytest.fixture(params=["with filters", "as before Python 3.11.4"])
def unpack(request, monkeypatch):
    """Both ways; in the second, Python's archives refuse to be told of a filter, as they did then."""
    if request.param != "with filters":
        whole = tarfile.TarFile.extractall

        def extractall(self, path=".", members=None, *, numeric_owner=False):
            filters = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
            whole(self, path, members, numeric_owner=numeric_owner, **filters)

        monkeypatch.setattr(tarfile.TarFile, "extractall", extractall)
        monkeypatch.setattr(archive, "_FILTER", {})
    return archive.unpack


def test_files_and_folders_come_out_as_they_were(unpack, tmp_path):
    unpack(
        packed(
            ("data", tarfile.DIRTYPE, 0o700),
            ("data/a.csv", tarfile.REGTYPE, 0o644),
            ("run.sh", tarfile.REGTYPE, 0o755),
        ),
        tmp_path,
    )
    assert (tmp_path / "data/a.csv").read_bytes() == b"here"
    assert stat.S_IMODE((tmp_path / "run.sh").stat().st_mode) == 0o755
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.csv", "data", "run.sh"]


@pytest.mark.parametrize(
    "entry",
    [
        ("../out", tarfile.REGTYPE, 0o644),
        ("in/../../out", tarfile.REGTYPE, 0o644),
        ("/tmp/gradewell-out", tarfile.REGTYPE, 0o644),
        ("link", tarfile.SYMTYPE, "/etc/passwd"),
        ("hard", tarfile.LNKTYPE, "../out"),
        ("pipe", tarfile.FIFOTYPE, 0o644),
        ("device", tarfile.CHRTYPE, 0o644),
    ],
)
def test_what_would_reach_outside_is_left_out(entry, unpack, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    unpack(packed(entry, ("kept", tarfile.REGTYPE, 0o644)), folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "kept"]


def test_a_file_behind_a_link_of_the_same_archive_stays_inside(unpack, tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    unpack(
        packed(("door", tarfile.SYMTYPE, str(outside)), ("door/x", tarfile.REGTYPE, 0o644)), folder
    )
    assert list(outside.iterdir()) == []
    assert (folder / "door/x").read_bytes() == b"here"


def test_nothing_comes_out_that_acts_as_its_owner(unpack, tmp_path):
    unpack(packed(("tool", tarfile.REGTYPE, 0o6777)), tmp_path)
    assert stat.S_IMODE((tmp_path / "tool").stat().st_mode) == 0o755
