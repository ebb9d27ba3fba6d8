"""What a person could read is read: notebooks, their names, and times, in whatever form they are handed in."""

from __future__ import annotations

import copy
import json
import os
import re
from datetime import datetime

import nbformat
import pytest
from gradewell.runner import handed_in
from gradewell.runner.submission import Refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import parse_utc

TEXTS = [
    "# 数据 the lab",
    "def double(x):\n    return 2 * x",
    "assert double(2) == 4",
    "My thoughts: é.",
]


def notebook():
    """A lab as JupyterLab writes it."""
    cells = [
        new_markdown_cell(TEXTS[0], id="title"),
        new_code_cell(
            TEXTS[1],
            id="answer",
            execution_count=1,
            outputs=[
                new_output("stream", text="1\n"),
                new_output("error", ename="E", evalue="x", traceback=["y"]),
            ],
        ),
        new_code_cell(TEXTS[2], id="first"),
        new_markdown_cell(TEXTS[3], id="essay"),
    ]
    for cell in cells[1:]:
        cell.metadata["nbgrader"] = {
            "grade_id": cell.id, "grade": cell.id != "answer", "solution": cell.id != "first",
            "locked": cell.id == "first", "points": 1, "schema_version": 3, "task": False,
        }  # fmt: skip
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nb = new_notebook(cells=cells, metadata={"kernelspec": spec})
    return json.loads(nbformat.writes(nb))


@pytest.fixture
def read(tmp_path):
    """Read a notebook that is handed in as these bytes, this text, or this document."""

    def reading(content):
        if not isinstance(content, str | bytes):
            content = json.dumps(content, ensure_ascii=False)
        path = tmp_path / "lab.ipynb"
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        )
        return checked(path)

    return reading


def checked(path):
    """Read it, and see that it can be validated, written and read again."""
    nb, notes = handed_in.read(path)
    nbformat.validate(nb)
    nbformat.write(nb, path.with_name("written.ipynb"))
    again = nbformat.read(path.with_name("written.ipynb"), as_version=4)
    assert again == nb
    assert not [cell for cell in nb.cells if cell.get("outputs")]
    return nb, notes


def texts(nb):
    return [cell.source for cell in nb.cells]


def grade_ids(nb):
    return [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells]


def test_a_notebook_of_jupyterlab_is_read_as_it_is_and_without_a_note(read):
    nb, notes = read(notebook())
    plain = nbformat.from_dict(notebook())
    for cell in plain.cells:
        cell.source = "".join(cell.source)
        cell.update({"outputs": [], "execution_count": None} if cell.cell_type == "code" else {})
    assert nb == plain
    assert notes == []


ENCODED = {
    # how it is encoded: a word of the note
    "utf-8": "",
    "utf-8-sig": "",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "utf-32-be": "UTF-32",
    "gb18030": "GB18030",
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_encodings_are_recognised(encoding, read):
    nb, notes = read(json.dumps(notebook(), ensure_ascii=False).encode(encoding))
    assert texts(nb) == TEXTS
    assert [ENCODED[encoding] in note for note in notes] == ([True] if ENCODED[encoding] else [])


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "统计局发布的开放数据，镕基的報告"),
        ("gb18030", "请写出你的答案。"),
        ("big5", "請在這裡寫出你的答案，並說明理由。"),
        ("cp1252", "naïve façade, größer: “quoted” – 5 €"),
        ("latin-1", "déjà vu à l'école"),
    ],
)
def test_of_encodings_in_which_everything_can_be_read_the_plausible_is_taken(encoding, text, read):
    document = notebook()
    document["cells"] = [{**document["cells"][0], "source": text}]
    nb, notes = read(json.dumps(document, ensure_ascii=False).encode(encoding))
    assert texts(nb) == [text]
    assert len(notes) == 1


def test_one_damaged_byte_costs_one_character(read):
    whole = json.dumps(notebook(), ensure_ascii=False).encode()
    nb, notes = read(whole.replace("数".encode(), b"\xe6\x95"))
    assert texts(nb) == [TEXTS[0].replace("数", "\ufffd"), *TEXTS[1:]]
    assert "damaged" in notes[0]


def test_line_ends_of_windows_and_old_macs_are_line_ends(read):
    document = notebook()
    document["cells"][1]["source"] = "a = 1\r\nb = 2\rc = 3"
    nb, _ = read(json.dumps(document, indent=1).replace("\n", "\r\n"))
    assert nb.cells[1].source == "a = 1\nb = 2\nc = 3"


def test_halves_of_characters_are_replaced(read):
    document = notebook()
    document["cells"][0]["source"] = ["\ud83d!", "\U0001f600"]
    document["metadata"]["\udc00"] = {"x": ["\ud800"]}
    nb, notes = read(json.dumps(document))
    assert nb.cells[0].source == "\ufffd!\U0001f600"
    assert nb.metadata["\ufffd"] == {"x": ["\ufffd"]}
    assert notes == ["halves of characters in it were replaced"]


def test_nul_characters_are_left_out(read):
    text = json.dumps(notebook(), ensure_ascii=False)
    nb, notes = read(text + "\0" * 4096)
    assert (texts(nb), notes) == (TEXTS, [])
    nb, notes = read(text.replace("My", "M\0y"))
    assert texts(nb) == TEXTS
    assert notes == ["NUL characters in it were left out"]


def test_what_a_longer_file_left_behind_the_end_is_left_out(read):
    nb, notes = read(json.dumps(notebook(), ensure_ascii=False) + '\n": 4}')
    assert texts(nb) == TEXTS
    assert notes == ["text after its end was left out"]


UNREADABLE = {
    "empty": (b"", "damaged or no notebook.*empty"),
    "zeros": (bytes(5000), "damaged or no notebook.*empty"),
    "cut off": (b'{"cells": [{"cell_type', "damaged or no notebook.*line 1"),
    "binary": (bytes(range(256)) * 100, "not a text file"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "not a text file"),
    "list": (b"[1, 2]", "damaged or no notebook"),
    "number": (b"1", "damaged or no notebook"),
    "nested list": (b"[" * 10**6, "damaged or no notebook.*nested"),
    "nested metadata": (
        b'{"cells": [], "metadata": ' + b'{"a":' * 10**5 + b"1" + b"}" * 10**5 + b"}",
        "damaged or no notebook.*nested",
    ),
    "no cells": (b'{"metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "no cells"),
    "cells of another type": (b'{"cells": {}, "nbformat": 4}', "no cells"),
    "format 5": (b'{"cells": [], "nbformat": 5}', "format 5, and formats up to 4"),
    "merge conflict": (
        b'{\n "cells": [\n<<<<<<< HEAD\n  {},\n=======\n  {}\n>>>>>>> theirs\n ]\n}',
        "damaged or no notebook.*merge conflict",
    ),
    "web page": (b"<!DOCTYPE html><html></html>", "damaged or no notebook"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_nobody_could_read_is_refused_with_the_reason(name, read):
    content, words = UNREADABLE[name]
    with pytest.raises(Refused, match=words):
        read(content)


def test_folders_pipes_and_missing_files_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("folder", "no file"), ("pipe", "no file"), ("missing", "cannot be read")):
        with pytest.raises(Refused, match=words):
            handed_in.read(tmp_path / name)


def of(document, place):
    for key in place:
        document = document[key]
    return document


ODD = {
    # what of the notebook is replaced by what; the texts stay as they are
    "id null": (("cells", 1, "id"), None),
    "id doubled": (("cells", 1, "id"), "title"),
    "id invalid": (("cells", 1, "id"), "a b!"),
    "id number": (("cells", 1, "id"), 7),
    "id too long": (("cells", 1, "id"), "x" * 65),
    "metadata null": (("metadata",), None),
    "metadata a list": (("metadata",), []),
    "metadata of a cell null": (("cells", 0, "metadata"), None),
    "metadata of a cell a list": (("cells", 0, "metadata"), [1]),
    "kernelspec null": (("metadata", "kernelspec"), None),
    "kernelspec of another type": (("metadata", "kernelspec"), 7),
    "kernelspec without name": (("metadata", "kernelspec"), {"display_name": "Python 3"}),
    "language_info without name": (("metadata", "language_info"), {"version": "3"}),
    "language_info a list": (("metadata", "language_info"), []),
    "title of another type": (("metadata", "title"), 3),
    "authors of another type": (("metadata", "authors"), "Ada"),
    "widgets": (("metadata", "widgets"), {"state": [{}]}),
    "minor null": (("nbformat_minor",), None),
    "minor too large": (("nbformat_minor",), 99),
    "nbformat text": (("nbformat",), "4"),
    "nbformat null": (("nbformat",), None),
    "tags null": (("cells", 1, "metadata", "tags"), None),
    "tags doubled": (("cells", 1, "metadata", "tags"), ["a", "a"]),
    "tags of other types": (("cells", 1, "metadata", "tags"), ["a", 1, None, "b,c", ""]),
    "tags one text": (("cells", 1, "metadata", "tags"), "a"),
    "name empty": (("cells", 1, "metadata", "name"), ""),
    "collapsed text": (("cells", 1, "metadata", "collapsed"), "true"),
    "jupyter null": (("cells", 1, "metadata", "jupyter"), None),
    "execution_count text": (("cells", 1, "execution_count"), "1"),
    "execution_count negative": (("cells", 1, "execution_count"), -1),
    "outputs null": (("cells", 1, "outputs"), None),
    "outputs of another type": (("cells", 1, "outputs"), "text"),
    "output invalid": (("cells", 1, "outputs"), [{"output_type": "stream"}, 3]),
    "attachments of a code cell": (("cells", 1, "attachments"), {}),
    "attachments invalid": (("cells", 0, "attachments"), {"a.png": 3}),
    "unknown keys": (("cells", 0, "collapsed"), True),
    "unknown key of the notebook": (("vscode",), {"a": 1}),
    "nested metadata": (("metadata", "x"), json.loads("[" * 400 + "]" * 400)),
    "numbers": (("metadata", "x"), [10**900, float("nan"), float("inf")]),
}  # fmt: skip
NOTED = {
    "metadata of a cell a list", "kernelspec of another type", "kernelspec without name",
    "language_info without name", "language_info a list", "title of another type",
    "authors of another type", "tags one text", "name empty", "collapsed text", "attachments invalid",
    "outputs of another type", "output invalid", "nested metadata",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_parts_cost_no_text_and_no_grade_id(name, read):
    place, value = ODD[name]
    document = notebook()
    of(document, place[:-1])[place[-1]] = value
    nb, notes = read(document)
    assert texts(nb) == TEXTS
    assert grade_ids(nb) == [None, "answer", "first", "essay"]
    assert len({cell.id for cell in nb.cells}) == 4
    assert bool(notes) == (name in NOTED)


def test_numbers_that_json_does_not_know_are_null(read):
    text = json.dumps(notebook()).replace('"metadata": {"kernelspec"', '"metadata": {"x": [NaN, -Infinity, 1e999, 1' + "0" * 6000 + '], "kernelspec"')  # fmt: skip
    nb, _ = read(text)
    assert nb.metadata.x == [None] * 4


def test_sound_tags_are_kept_once(read):
    document = notebook()
    document["cells"][1]["metadata"]["tags"] = ["a", "b", "a", 3, "c,d", ""]
    assert read(document)[0].cells[1].metadata.tags == ["a", "b"]


def test_sound_ids_are_kept_and_the_first_of_equal_ones(read):
    document = notebook()
    for cell, name in zip(document["cells"], ["a", "a", None, "cell-1"], strict=True):
        cell["id"] = name
    assert [cell.id for cell in read(document)[0].cells] == ["a", "cell-2", "cell-3", "cell-1"]


def test_an_attachment_that_is_sound_is_kept(read):
    document = notebook()
    attachments = {"a.png": {"image/png": "iVBORw0KGgo="}}
    document["cells"][0].update(attachments=attachments, source="![](attachment:a.png)")
    assert read(document)[0].cells[0].attachments == attachments


@pytest.mark.parametrize("gone", ["metadata", "id", "outputs", "execution_count"])
def test_cells_without_a_part_are_read(gone, read):
    document = notebook()
    for cell in document["cells"]:
        cell.pop(gone, None)
    nb, notes = read(document)
    assert (texts(nb), notes) == (TEXTS, [])


@pytest.mark.parametrize("gone", ["metadata", "nbformat", "nbformat_minor"])
def test_notebooks_without_a_part_are_read(gone, read):
    document = notebook()
    del document[gone]
    nb, notes = read(document)
    assert (texts(nb), notes) == (TEXTS, [])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (["a\n", "b"], "a\nb"),
        ("a\nb", "a\nb"),
        (None, ""),
        ([], ""),
        (["a", None, "b"], "ab"),
        (7, ""),
        ({"a": 1}, ""),
        (["a", ["b"]], "a"),
    ],
)
def test_a_text_is_a_text_or_its_lines(source, text, read):
    document = notebook()
    document["cells"][1]["source"] = source
    nb, _ = read(document)
    assert nb.cells[1].source == text


def test_a_cell_without_text_is_empty(read):
    document = notebook()
    del document["cells"][1]["source"]
    assert read(document)[0].cells[1].source == ""


def test_types_of_cells_are_read_with_sense(read):
    document = notebook()
    document["cells"] = [
        {"cell_type": "heading", "level": 2, "source": ["A\n", "b"]},
        {"cell_type": "Code", "source": "1"},
        {"cell_type": "sql", "source": "SELECT", "outputs": []},
        {"cell_type": None, "source": "words"},
        {"source": "more"},
        "no cell",
        None,
    ]
    nb, notes = read(document)
    assert [(cell.cell_type, cell.source) for cell in nb.cells] == [
        ("markdown", "## A b"),
        ("code", "1"),
        ("code", "SELECT"),
        ("markdown", "words"),
        ("markdown", "more"),
    ]
    assert len(notes) == 2


@pytest.mark.parametrize("known", [None, 3, [], "x", {}, {"grade_id": ""}, {"grade_id": 5}])
def test_what_nbgrader_knows_of_no_cell_is_left_out(known, read):
    document = notebook()
    document["cells"][1]["metadata"]["nbgrader"] = known
    nb, _ = read(document)
    assert "nbgrader" not in nb.cells[1].metadata
    assert texts(nb) == TEXTS


@pytest.mark.parametrize(
    "known",
    [
        {"grade_id": "answer", "solution": True},
        {"grade_id": "answer", "solution": True, "schema_version": 1},
        {"grade_id": "answer", "grade": None, "points": "3", "solution": True, "checksum": 4},
        {"grade_id": "answer", "schema_version": True, "points": False, "solution": True, "x": 1},
    ],
)
def test_old_and_damaged_nbgrader_metadata_still_names_the_cell(known, read):
    document = notebook()
    document["cells"][1]["metadata"]["nbgrader"] = known
    nb, _ = read(document)
    kept = nb.cells[1].metadata.nbgrader
    version = {"schema_version": 1} if known.get("schema_version") == 1 and "x" not in known else {}
    assert kept == {"grade_id": "answer", "solution": True, **version}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_old_formats_are_read_as_nbformat_converts_them(number, read):
    if number == 3:
        document = nbformat.convert(nbformat.reads(json.dumps(notebook()), 4), 3)
        document["worksheets"][0]["cells"].append(
            {"cell_type": "heading", "level": 3, "source": "A\nb", "metadata": {}}
        )
        expected = nbformat.reads(json.dumps(document), 4)
    elif number == 2:
        cells = [
            {"cell_type": "markdown", "source": "# Lab"},
            {"cell_type": "code", "input": "1 + 1", "language": "python", "outputs": [], "collapsed": False, "prompt_number": 1},
        ]  # fmt: skip
        document = {"nbformat": 2, "metadata": {"name": "x"}, "worksheets": [{"cells": cells}]}
        expected = nbformat.convert(nbformat.from_dict(copy.deepcopy(document)), 4)
    else:
        cells = [{"cell_type": "text", "text": "# Lab"}, {"cell_type": "code", "code": "1 + 1"}]
        document = {"nbformat": 1, "cells": cells}
        expected = new_notebook(cells=[new_markdown_cell("# Lab"), new_code_cell("1 + 1")])
    nb, notes = read(dict(document))
    assert [(c.cell_type, c.source) for c in nb.cells] == [
        (c.cell_type, c.source) for c in expected.cells
    ]
    assert notes == [f"it is in the old format {number}"]


def test_a_notebook_that_says_format_3_and_has_cells_is_read(read):
    assert texts(read({**notebook(), "nbformat": 3})[0]) == TEXTS


PLACES = [
    *([key] for key in ("metadata", "nbformat_minor", "new")),
    *(["metadata", key] for key in ("kernelspec", "language_info", "title", "authors", "new")),
    ["metadata", "kernelspec", "name"],
    *(
        ["cells", number, key]
        for number in range(4)
        for key in ("id", "metadata", "outputs", "execution_count", "attachments", "new")
    ),
    *(["cells", number, "metadata", key] for number in range(4) for key in ("tags", "name", "nbgrader", "jupyter", "format", "scrolled")),
    *(["cells", 1, "metadata", "nbgrader", key] for key in ("grade_id", "points", "schema_version")),
]  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 4)
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(["code", "markdown", "raw", "heading", "stream", "title"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["name", "data", "source", "output_type"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
def test_whatever_stands_beside_the_texts_they_are_kept(tmp_path, changes):
    document = notebook()
    for place, value in changes:
        try:
            of(document, place[:-1])[place[-1]] = value
        except (KeyError, TypeError, IndexError):  # an earlier change has taken it away
            continue
    path = tmp_path / "lab.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    nb, _ = checked(path)
    assert texts(nb) == TEXTS


def paths(value, here=()):
    """The place of each value in a document."""
    yield here
    numbered = enumerate(value) if isinstance(value, list) else ()
    for key, one in value.items() if isinstance(value, dict) else numbered:
        yield from paths(one, (*here, key))


EVERYWHERE = [place for place in paths(notebook()) if place]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.sampled_from(EVERYWHERE), VALUES | st.just(...)), min_size=1, max_size=4)
)
def test_a_mutated_notebook_is_valid_or_refused(tmp_path, changes):
    document = notebook()
    for place, value in changes:
        try:
            if value is ...:
                del of(document, place[:-1])[place[-1]]
            else:
                of(document, place[:-1])[place[-1]] = value
        except (KeyError, TypeError, IndexError):
            continue
    path = tmp_path / "lab.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    try:
        checked(path)
    except Refused as refused:
        assert re.search("no cells|formats up to 4", str(refused))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=4), st.integers(0, 4)), max_size=4),
    st.sampled_from(["utf-8", "utf-16", "gb18030", "utf-8-sig"]),
)
def test_bytes_that_were_changed_are_read_or_refused(tmp_path, changes, encoding):
    data = json.dumps(notebook(), ensure_ascii=False).encode(encoding)
    for where, new, length in changes:
        data = data[:where] + new + data[where + length :]
    path = tmp_path / "lab.ipynb"
    path.write_bytes(data)
    try:
        checked(path)
    except Refused as refused:
        assert str(refused)


# --- which file is which notebook -----------------------------------------------------------------


@pytest.fixture
def find(tmp_path):
    """Find wanted notebooks among files. Returns name to file as texts, and the notes."""

    def finding(files, wanted=("lab",)):
        folder = tmp_path / "submitted"
        for name in files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}", encoding="utf-8")
        folder.mkdir(exist_ok=True)
        found, notes = handed_in.find(folder, wanted)
        return {name: path.relative_to(folder).as_posix() for name, path in found.items()}, notes

    return finding


def test_the_exact_name_wins_without_a_note(find):
    assert find(["lab.ipynb", "lab (1).ipynb", "lab.IPYNB", "old/lab.ipynb", "x.json"]) == (
        {"lab": "lab.ipynb"},
        [],
    )


@pytest.mark.parametrize(
    "file",
    [
        "lab.IPYNB", "Lab.ipynb", "lab.ipynb.json", "lab.ipynb.txt", "lab.json", "lab.ipynb.ipynb",
        "lab (1).ipynb", "lab(2).ipynb", "lab-1.ipynb", "lab-Copy1.ipynb", "lab-Copy1-Copy2.ipynb",
        "Copy of lab.ipynb", "Copy of Copy of lab.ipynb", "lab copy.ipynb", "lab copy 2.ipynb",
        "lab - Copy.ipynb", "lab - Copy (2).ipynb", "lab 副本.ipynb", "lab - 副本.ipynb",
        "lab的副本.ipynb", "“lab.ipynb”的副本", "lab（1）.ipynb", "lab.ipynb (1).txt",
        "lovelaceada_LATE_12345_678901_lab-1.ipynb", "lovelaceada_12345_678901_lab.ipynb",
        "lab_ada_attempt_2026-10-05-18-30-00_lab.ipynb", "Ada_123_assignsubmission_file_lab.ipynb",
        "lab/lab.ipynb", "lab/lab/lab.ipynb", "s/lab (1).ipynb",
    ],
)  # fmt: skip
def test_a_name_that_was_changed_on_the_way_is_recognised(file, find):
    found, notes = find([file, "other.ipynb", "notes.txt", "data.json"], ["lab", "second"])
    assert found["lab"] == file
    assert f"{file} was taken for lab.ipynb" in notes


def test_names_that_a_system_writes_with_other_accents_are_equal(find):
    found, _ = find(["cafe\u0301.ipynb"], ["caf\u00e9"])
    assert found == {"caf\u00e9": "cafe\u0301.ipynb"}


def test_a_name_that_looks_like_a_copy_is_not_taken_from_its_owner(find):
    files = ["lab-1.ipynb", "lab-1 (1).ipynb", "lab (2).ipynb"]
    found, _ = find(files, ["lab", "lab-1"])
    assert found == {"lab-1": "lab-1.ipynb", "lab": "lab (2).ipynb"}


def test_a_notebook_is_not_taken_for_another_of_which_it_looks_like_a_copy(find):
    assert find(["lab-1.ipynb"], ["lab", "lab-1"])[0] == {"lab-1": "lab-1.ipynb"}


def test_another_spelling_comes_before_copies_and_folders(find):
    found, _ = find(["Lab.ipynb", "lab (1).ipynb", "x/lab.ipynb"])
    assert found == {"lab": "Lab.ipynb"}


def test_of_two_candidates_none_is_taken_and_both_are_named(find):
    found, notes = find(["lab (1).ipynb", "lab (2).ipynb"])
    assert found == {}
    assert notes == [
        "lab (1).ipynb, lab (2).ipynb could each be lab.ipynb: hand in only one of them"
    ]


def test_the_only_other_notebook_is_the_one_that_is_missing(find):
    found, notes = find(["first.ipynb", "my work.ipynb", "data.json"], ["first", "second"])
    assert found == {"first": "first.ipynb", "second": "my work.ipynb"}
    assert notes == ["my work.ipynb was taken for second.ipynb"]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (["a.ipynb", "b.ipynb"], ["lab"]),
        (["a.ipynb"], ["lab", "second"]),
        (["data.json"], ["lab"]),
        (["first.ipynb", "first (1).ipynb"], ["first", "second"]),
        ([], ["lab"]),
    ],
)
def test_where_it_cannot_be_told_nothing_is_taken(files, wanted, find):
    found, notes = find(files, wanted)
    assert set(found) <= {"first"}
    missing = [name for name in wanted if name not in found]
    assert all(any(f"no {name}.ipynb" in note for note in notes) for name in missing)


def test_what_is_there_instead_is_named(find):
    assert find(["a.ipynb", "b.ipynb"])[1] == [
        "there is no lab.ipynb, only a.ipynb, b.ipynb: rename it"
    ]


def test_checkpoints_and_hidden_files_are_not_looked_at(find):
    found, notes = find(
        [".ipynb_checkpoints/lab.ipynb", "__MACOSX/lab.ipynb", ".lab.ipynb", ".x/lab.ipynb"]
    )
    assert (found, notes) == ({}, ["there is no lab.ipynb"])


def test_links_out_of_the_folder_are_not_followed(tmp_path, find):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "lab.ipynb").write_text("{}")
    folder = tmp_path / "submitted"
    folder.mkdir()
    (folder / "lab.ipynb").symlink_to(tmp_path / "outside" / "lab.ipynb")
    (folder / "away").symlink_to(tmp_path / "outside")
    (folder / "loop.ipynb").symlink_to(folder / "loop.ipynb")
    (folder / "x.ipynb").mkdir()
    os.mkfifo(folder / "pipe.ipynb")
    assert find([]) == ({}, ["there is no lab.ipynb"])
    assert find(["mine.ipynb"])[0] == {"lab": "mine.ipynb"}


def test_a_link_within_the_folder_is_followed(tmp_path, find):
    find(["mine.txt"])
    (tmp_path / "submitted" / "lab.ipynb").symlink_to("mine.txt")
    assert find([])[0] == {"lab": "lab.ipynb"}


def test_names_with_any_character_are_names(find):
    names = [
        "lab (a)",
        "what? lab",
        "lab^2",
        "cost $5 lab",
        "C# lab",
        "作业 1",
        "a'b",
        "[x]",
        "{y}",
        "*",
    ]
    found, notes = find([f"{name}.ipynb" for name in names], names)
    assert found == {name: f"{name}.ipynb" for name in names}
    assert notes == []


def test_only_as_much_is_looked_at_as_a_person_would(tmp_path, find):
    deep = "/".join("d" * 1 for _ in range(30))
    assert find([f"{deep}/lab.ipynb"])[0] == {}
    assert find([f"many/{n}.txt" for n in range(3000)] + ["many/lab.ipynb"])[0] == {
        "lab": "many/lab.ipynb"
    }


# --- when it was handed in ------------------------------------------------------------------------


@pytest.fixture
def time(tmp_path):
    def reading(text):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "timestamp.txt").write_bytes(data)
        return handed_in.time(tmp_path)

    return reading


HALF_PAST_SIX = datetime(2026, 10, 5, 18, 30)
IN_BEIJING = datetime(2026, 10, 5, 10, 30)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-05 18:30:00.000000 UTC", "2026-10-05 18:30:00 UTC", "2026-10-05T18:30:00Z",
        "2026-10-05T18:30:00+00:00", "2026-10-05T18:30:00.000+08:00", "2026-10-05 18:30:00 PRC",
        "2026-10-05 18:30:00 Asia/Shanghai", "Mon, 05 Oct 2026 18:30:00 +0800", "20261005T183000Z",
        "2026-10-05 18:30", "2026-10-05T18:30:00",
        "2026-10-05 18:30:00 GMT", "2026-10-05 18:30:00 GMT+0800", "2026-10-05 18:30:00.123 EST",
    ],
)  # fmt: skip
def test_what_nbgrader_reads_is_read_likewise(text, time):
    assert time(text) == (parse_utc(text), "")


@pytest.mark.parametrize(
    "text",
    [
        "Monday, 5 October 2026, 6:30 PM",
        "October 5, 2026 6:30 PM", "Oct 5, 2026, 6:30:00\u202fPM", "2026/10/5 18:30:00", "20261005183000",
    ],
)  # fmt: skip
def test_a_platforms_time_without_a_time_zone_is_read_as_utc_and_that_is_said(text, time):
    when, note = time(text)
    assert when == parse_utc(text) == HALF_PAST_SIX
    assert "no time zone" in note


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-10-05 6:30 PM", HALF_PAST_SIX),  # nbgrader takes PM for a time zone,
        ("2026-10-05 18:30:00 +0800", IN_BEIJING),  # this for 800 seconds,
        ("October 5, 2026 at 2:30 PM EDT", HALF_PAST_SIX),  # this for UTC,
        ("2026-10-05-18-30-00", HALF_PAST_SIX),  # and these it does not read, or not all of it
        ("2026-10-05_18.30", HALF_PAST_SIX),
        ("2026-10-05T18:30:00+08:00[Asia/Shanghai]", IN_BEIJING),
        ("Mon Oct 05 2026 18:30:00 GMT+0800 (China Standard Time)", IN_BEIJING),
        ("2026-10-05 18:30 (UTC+8)", IN_BEIJING),
        ("2026年10月5日 18:30", HALF_PAST_SIX),
        ("2026年10月5日 18:30 UTC+8", IN_BEIJING),
        ("2026年10月05日星期一 下午6:30", HALF_PAST_SIX),
        ("2026/10/5 下午 06:30:00", HALF_PAST_SIX),
        ("2026年10月5日 下午18:30", HALF_PAST_SIX),
        ("2026年10月5日 上午12:05", datetime(2026, 10, 5, 0, 5)),
        ("2026年10月5日 中午12:05", datetime(2026, 10, 5, 12, 5)),
        ("2026年10月5日 18时30分05秒", datetime(2026, 10, 5, 18, 30, 5)),
        ("2026年10月5日18点", datetime(2026, 10, 5, 18)),
        ("北京时间2026年10月5日 18:30", IN_BEIJING),
        ("2026-10-05 18：30（北京时间）", IN_BEIJING),
        ("Oct 5 2026", datetime(2026, 10, 5)),
        ("1791225000", HALF_PAST_SIX),
        ("1791225000000", HALF_PAST_SIX),
        ("1791225000.5", datetime(2026, 10, 5, 18, 30, 0, 500000)),
        ('"2026-10-05T18:30:00Z"\n', HALF_PAST_SIX),
    ],
)
def test_forms_that_nbgrader_does_not_read_are_read(text, when, time):
    assert time(text)[0] == when


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_times_are_read_in_any_encoding(encoding, time):
    assert time("2026年10月5日 下午6:30".encode(encoding))[0] == HALF_PAST_SIX
    assert time("2026-10-05 18:30:00 UTC".encode(encoding)) == (HALF_PAST_SIX, "")


@pytest.mark.parametrize("text", ["05/10/2026 18:30", "05.10.2026 18:30", "5/10/26, 18:30"])
def test_a_day_that_can_be_two_is_said(text, time):
    when, note = time(text)
    assert when == parse_utc(text) == datetime(2026, 5, 10, 18, 30)
    assert "two days" in note and "2026-05-10" in note


def test_a_time_zone_that_can_be_two_is_said(time):
    assert time("2026-10-05 18:30:00 CST")[0] == HALF_PAST_SIX
    assert "CST" in time("2026-10-05 18:30:00 CST")[1]


def test_a_day_that_can_be_only_one_is_not_doubted(time):
    assert time("13/10/2026 18:30 UTC") == (datetime(2026, 10, 13, 18, 30), "")
    assert time("05/05/2026 18:30 UTC") == (datetime(2026, 5, 5, 18, 30), "")


@pytest.mark.parametrize("content", ["", "tomorrow", "18:30", "October", "2026", "99999999999999", bytes(range(256)), "2026-13-45 99:99", "0001-01-01 00:00:00 +0800"])  # fmt: skip
def test_what_is_no_time_is_none_and_said(content, time):
    when, note = time(content)
    assert when is None
    assert "no time that can be read" in note


def test_where_there_is_no_timestamp_nothing_is_said(tmp_path):
    assert handed_in.time(tmp_path) == (None, "")


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=40)
    | st.text(
        st.sampled_from("0123456789-/:.+ TZUPMAC年月日时分秒点上下午星期一北京时间()[]OctMon,"),
        max_size=40,
    )
    .map(str.encode)
)  # fmt: skip
def test_nothing_that_a_timestamp_says_is_an_error(tmp_path, data):
    (tmp_path / "timestamp.txt").write_bytes(data)
    when, note = handed_in.time(tmp_path)
    assert (when is None) <= bool(note)
    assert when is None or when.tzinfo is None
