"""A red team's list: ways to get points without work, each of which can be tried on any lab.

A forgery changes a released notebook, as a student has it, in place or into another one; its docstring says what it tries. None
may get a point that the untouched notebook does not get.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from .forged_code import AGREES, ALWAYS, CODE, IN_FULL, OBLIGES, PRELUDE


@dataclass
class Lab:
    """A released notebook and what a student sees of it: the names of its code cells by their part."""

    notebook: NotebookNode
    answers: list[str]
    tests: list[str]
    locked: list[str]
    files: dict[str, str] = field(default_factory=dict)
    """What is handed in beside it."""

    @classmethod
    def of(cls, released: NotebookNode) -> Lab:
        parts: dict[str, list[str]] = {"answers": [], "tests": [], "locked": []}
        for cell in released.cells:
            about = cell.metadata.get("nbgrader", {})
            if about and cell.cell_type == "code":
                part = "answers" if about["solution"] else "tests" if about["grade"] else "locked"
                parts[part].append(about["grade_id"])
        return cls(copy.deepcopy(released), **parts)

    def cells(self, *parts: list[str]) -> list[NotebookNode]:
        wanted = [name for part in parts for name in part]
        return [cell for cell in self.notebook.cells if _name(cell) in wanted]

    def write(self, code: str) -> None:
        """Write code into every answer, with the names that it may ask for before it."""
        asked = [_bound(cell.source) for cell in self.cells(self.answers)]
        functions = sorted(set().union(*(names for names, _ in asked)))
        values = sorted(set().union(*(names for _, names in asked)))
        known = set(functions) | set(values) | set(dir(builtins))
        helpers = sorted(set(self._helpers()) - known)
        head = f"FUNCTIONS, VALUES = {functions!r}, {values!r}\nHELPERS = {helpers!r}\n{PRELUDE}\n"
        for cell in self.cells(self.answers):
            cell.source = head + code

    def _helpers(self) -> Iterator[str]:
        for cell in self.cells(self.locked):
            yield from set().union(*_bound(cell.source))
        for cell in self.cells(self.tests):
            for node in ast.walk(_parsed(cell.source)):
                if isinstance(node, ast.Name):
                    yield node.id


Forgery = Callable[[Lab], "NotebookNode | None"]
FORGERIES: dict[str, Forgery] = {}
KINDS: dict[str, list[str]] = {}
"""Kind to the names of its forgeries."""


def forgery(kind: str) -> Callable[[Forgery], Forgery]:
    """Enter a function in the table, under its own name."""

    def enter(change: Forgery) -> Forgery:
        name = change.__name__.replace("_", "-")
        assert name not in FORGERIES, name
        FORGERIES[name] = change
        KINDS.setdefault(kind, []).append(name)
        return change

    return enter


def _name(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def _bound(source: str) -> tuple[set[str], set[str]]:
    """The names of functions and classes, and of values, that a cell defines."""
    functions, values = set(), set()
    for node in _parsed(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            functions.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
            values.update(name for name in names if name != "*")
        else:
            stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            values.update(n.id for n in stored if isinstance(n.ctx, ast.Store))
    return functions, values


def _about(lab: Lab, *parts: list[str], **values: object) -> None:
    """Change nbgrader's metadata of cells."""
    for cell in lab.cells(*parts):
        cell.metadata["nbgrader"].update(values)


def _copies(lab: Lab, names: list[str], source: str, after: bool) -> None:
    """A second cell under the same name for each of these."""
    for cell in lab.cells(names):
        double = copy.deepcopy(cell)
        double.source, double.id = source, cell.id + "-2"
        lab.notebook.cells.insert(lab.notebook.cells.index(cell) + after, double)


def _beside(lab: Lab, names: list[str], source: str, after: bool) -> None:
    """A cell of the student's own beside each of these."""
    for cell in lab.cells(names):
        place = next(n for n, one in enumerate(lab.notebook.cells) if one is cell)
        lab.notebook.cells.insert(place + after, new_code_cell(source))


def _score(cell: NotebookNode) -> str:
    return repr(float(cell.metadata["nbgrader"]["points"]))


# -- tags ------------------------------------------------------------------------------------------


@forgery("tags")
def tests_are_skipped(lab):
    """A cell that never ran has no output, and no output is full points."""
    for cell in lab.cells(lab.tests):
        cell.metadata["tags"] = ["skip-execution"]


@forgery("tags")
def tests_are_skipped_by_a_text(lab):
    """The tag is a text, in which the other is found too."""
    for cell in lab.cells(lab.tests):
        cell.metadata["tags"] = "skip-execution"


@forgery("tags")
def everything_is_skipped(lab):
    """Nothing of the notebook runs."""
    for cell in lab.notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]


@forgery("tags")
def locked_cells_are_skipped(lab):
    """Helpers are not defined, so that the student's are asked for."""
    for cell in lab.cells(lab.locked):
        cell.metadata["tags"] = ["skip-execution"]
    lab.write(AGREES + "give(Agrees())\ntake_over(Agrees())")


@forgery("tags")
def answers_are_skipped(lab):
    """No answer runs; a test that is tagged too need not either."""
    for cell in lab.cells(lab.answers):
        cell.metadata["tags"] = ["skip-execution", "raises-exception"]
    _beside(lab, lab.tests, ALWAYS, after=False)
    lab.write("give(True)")


@forgery("tags")
def errors_are_expected(lab):
    """An error that is expected is no failure."""
    for cell in lab.cells(lab.tests, lab.locked, lab.answers):
        cell.metadata["tags"] = ["raises-exception"]


@forgery("tags")
def tests_are_hidden(lab):
    """Tags by which converters take cells and outputs away."""
    tags = ["remove_cell", "remove-cell", "remove_output", "remove_input", "hide-cell", "hide_output", "nbval-skip"]  # fmt: skip
    for cell in lab.cells(lab.tests):
        cell.metadata["tags"] = tags
        cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
        cell.metadata.update(collapsed=True, editable=True, deletable=True)


# -- cells -----------------------------------------------------------------------------------------


@forgery("cells")
def tests_are_deleted(lab):
    """What is not there cannot fail."""
    gone = lab.cells(lab.tests)
    lab.notebook.cells = [cell for cell in lab.notebook.cells if cell not in gone]


@forgery("cells")
def locked_cells_are_deleted(lab):
    """Helpers are the student's: objects that agree."""
    lab.write(AGREES + "give(Agrees())\ntake_over(Agrees())")
    gone = lab.cells(lab.locked)
    lab.notebook.cells = [cell for cell in lab.notebook.cells if cell not in gone]


@forgery("cells")
def locked_cells_are_deleted_and_checks_oblige(lab):
    """Checks are the student's: modules whose checks find nothing."""
    lab.write(OBLIGES.replace("RETURNED", "Helper()") + "give(None)")
    gone = lab.cells(lab.locked)
    lab.notebook.cells = [cell for cell in lab.notebook.cells if cell not in gone]


@forgery("cells")
def locked_cells_are_deleted_and_checks_say_nothing(lab):
    """Checks are the student's: a test that ends with nothing is full points."""
    lab.write(OBLIGES.replace("RETURNED", "None") + "give(None)")
    gone = lab.cells(lab.locked)
    lab.notebook.cells = [cell for cell in lab.notebook.cells if cell not in gone]


@forgery("cells")
def only_tests_are_left(lab):
    """Nothing but the tests, and one cell of the student's own before them."""
    lab.write(ALWAYS)
    own = new_code_cell(lab.cells(lab.answers)[0].source)
    lab.notebook.cells = [own, *lab.cells(lab.tests)]


@forgery("cells")
def tests_come_first(lab):
    """Before there is anything to test."""
    lab.notebook.cells.sort(key=lambda cell: _name(cell) not in lab.tests)


@forgery("cells")
def locked_cells_come_last(lab):
    """Helpers are defined when the tests are over."""
    lab.write(AGREES + "give(Agrees())\ntake_over(Agrees())")
    lab.notebook.cells.sort(key=lambda cell: _name(cell) in lab.locked)


@forgery("cells")
def everything_is_turned_round(lab):
    """From the last cell to the first."""
    lab.write(ALWAYS)
    lab.notebook.cells.reverse()


@forgery("cells")
def copies_of_tests_before(lab):
    """The first cell of a name counts, and it says pass."""
    _copies(lab, lab.tests, "pass", after=False)


@forgery("cells")
def copies_of_tests_after(lab):
    """The last cell of a name counts, and it says pass."""
    _copies(lab, lab.tests, "pass", after=True)


@forgery("cells")
def copies_of_locked_cells_before(lab):
    """The first cell of a name counts, and it defines helpers that agree."""
    lab.write(ALWAYS)
    _copies(lab, lab.locked, lab.cells(lab.answers)[0].source, after=False)


@forgery("cells")
def copies_of_locked_cells_after(lab):
    """The last cell of a name counts, and it defines helpers that agree."""
    lab.write(ALWAYS)
    _copies(lab, lab.locked, lab.cells(lab.answers)[0].source, after=True)


@forgery("cells")
def tests_say_pass(lab):
    """Another source of a test cell."""
    for cell in lab.cells(lab.tests):
        cell.source = "pass"


@forgery("cells")
def tests_say_their_points(lab):
    """Another source of a test cell, which ends with its points."""
    for cell in lab.cells(lab.tests):
        cell.source = _score(cell)


@forgery("cells")
def tests_are_commented_out(lab):
    """The test is still there, and does nothing."""
    for cell in lab.cells(lab.tests):
        cell.source = "%%script true\n" + cell.source


@forgery("cells")
def locked_cells_define_helpers_that_agree(lab):
    """Another source of a locked cell."""
    lab.write(ALWAYS)
    for cell in lab.cells(lab.locked):
        cell.source += "\n" + lab.cells(lab.answers)[0].source


@forgery("cells")
def locked_cells_rewrite_later_cells(lab):
    """Another source of a locked cell, if it runs where tests run."""
    for cell in lab.cells(lab.locked):
        cell.source += "\nget_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])\nimport builtins\nbuiltins.AssertionError = ()"


@forgery("cells")
def locked_cells_import_what_makes_programs_run(lab):
    """One import in a locked cell names a class of the student's choice for the judge."""
    lab.write(CODE["channel"]["runs-a-program-in-the-judge"][1])
    for cell in lab.cells(lab.locked):
        cell.source += "\nfrom subprocess import Popen"


@forgery("cells")
def tests_become_text(lab):
    """A test in Markdown is for a person, or for nobody."""
    for cell in lab.cells(lab.tests):
        cell.cell_type = "markdown"
        cell.pop("outputs", None), cell.pop("execution_count", None)


@forgery("cells")
def tests_become_raw(lab):
    """A raw cell has no outputs, and no errors."""
    for cell in lab.cells(lab.tests):
        cell.cell_type = "raw"
        cell.pop("outputs", None), cell.pop("execution_count", None)


@forgery("cells")
def locked_cells_become_raw(lab):
    """Helpers are not defined, so that the student's are asked for."""
    lab.write(OBLIGES.replace("RETURNED", "None") + "give(None)")
    for cell in lab.cells(lab.locked):
        cell.cell_type = "raw"
        cell.pop("outputs", None), cell.pop("execution_count", None)


@forgery("cells")
def tests_are_emptied(lab):
    """An empty cell is not run, and has no output."""
    for cell in lab.cells(lab.tests):
        cell.source = ""


@forgery("cells")
def locked_cells_are_emptied(lab):
    """Helpers are not defined, so that the student's are asked for."""
    lab.write(AGREES + "give(Agrees())\ntake_over(Agrees())")
    for cell in lab.cells(lab.locked):
        cell.source = " \n"


@forgery("cells")
def answers_become_text(lab):
    """An answer in Markdown defines nothing, and cells of the student's own do."""
    lab.write(ALWAYS)
    for cell in lab.cells(lab.answers):
        lab.notebook.cells.insert(0, new_code_cell(cell.source))
        cell.cell_type = "markdown"
        cell.pop("outputs", None), cell.pop("execution_count", None)


@forgery("cells")
def answers_hold_the_instructors_marks(lab):
    """Marks between which text is taken away when notebooks are made and graded."""
    kinds = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"
    lab.write("".join(f"### BEGIN {kind}\ngive(True)\n### END {kind}\n" for kind in kinds))
    for cell in lab.cells(lab.tests):
        cell.source = f"### BEGIN HIDDEN TESTS\n{cell.source}\n### END HIDDEN TESTS"


@forgery("cells")
def attachments_on_tests(lab):
    """A file in the cell itself, which is shown under its name."""
    for cell in lab.cells(lab.tests):
        cell["attachments"] = {"score.txt": {"text/plain": _score(cell)}}


# -- cells of one's own ----------------------------------------------------------------------------


@forgery("own cells")
def helpers_before_each_test(lab):
    """A cell that defines helpers which agree, before each test."""
    lab.write(AGREES + "give(Agrees())\ntake_over(Agrees())")
    _beside(lab, lab.tests, lab.cells(lab.answers)[0].source, after=False)


@forgery("own cells")
def helpers_after_each_test(lab):
    """What a failed test would have defined, for the next one."""
    lab.write(ALWAYS)
    _beside(lab, lab.tests, lab.cells(lab.answers)[0].source, after=True)


@forgery("own cells")
def helpers_that_give_points_after_each_test(lab):
    """What a failed test would have defined, for the next one, and it gives points."""
    lab.write(IN_FULL)
    _beside(lab, lab.tests, lab.cells(lab.answers)[0].source, after=True)


@forgery("own cells")
def a_test_of_its_own_for_a_thousand_points(lab):
    """A graded cell that the instructor does not have."""
    own = copy.deepcopy(lab.cells(lab.tests)[0])
    own.source, own.id = "1000.0", "own-test"
    own.metadata["nbgrader"].update(grade_id="own-test", points=1000)
    lab.notebook.cells.append(own)


@forgery("own cells")
def own_cells_under_the_tests_ids(lab):
    """Cell ids that collide with the instructor's."""
    for cell in lab.cells(lab.tests):
        lab.notebook.cells.insert(0, new_code_cell("pass", id=cell.id))


@forgery("own cells")
def ids_are_exchanged(lab):
    """Each test has the id of an answer, and each answer that of a test."""
    for test, answer in zip(lab.cells(lab.tests), lab.cells(lab.answers), strict=False):
        test.id, answer.id = answer.id, test.id
    lab.write(ALWAYS)


@forgery("own cells")
def one_id_for_all(lab):
    """No cell can be told from another by its id."""
    for cell in lab.notebook.cells:
        cell.id = "cell"
    lab.write(ALWAYS)


# -- nbgrader's metadata ---------------------------------------------------------------------------


@forgery("metadata")
def tests_are_stripped(lab):
    """A test without metadata is a cell like others."""
    for cell in lab.cells(lab.tests):
        del cell.metadata["nbgrader"]


@forgery("metadata")
def locked_cells_are_stripped(lab):
    """A locked cell without metadata is the student's, and so are its names."""
    lab.write(ALWAYS)
    for cell in lab.cells(lab.locked):
        del cell.metadata["nbgrader"]


@forgery("metadata")
def everything_is_stripped(lab):
    """As another program would save it."""
    lab.write(OBLIGES.replace("RETURNED", "None"))
    for cell in lab.notebook.cells:
        cell.metadata = NotebookNode()


@forgery("metadata")
def metadata_of_another_kind(lab):
    """What is a table becomes a list, a text, nothing."""
    for n, cell in enumerate(lab.cells(lab.tests)):
        cell.metadata["nbgrader"] = [[], "nbgrader", None, 7, {"grade_id": _name(cell)}][n % 5]


@forgery("metadata")
def tests_are_not_graded(lab):
    """The flag that makes a cell count is off."""
    _about(lab, lab.tests, grade=False)


@forgery("metadata")
def tests_are_answers(lab):
    """A test that is an answer keeps the student's text."""
    _about(lab, lab.tests, solution=True, locked=False)
    for cell in lab.cells(lab.tests):
        cell.source = "pass"


@forgery("metadata")
def tests_are_answers_that_are_graded_without_a_person(lab):
    """An answer that is no longer a solution, and ends with its points."""
    _about(lab, lab.tests, solution=True, grade=False, locked=False)
    for cell in lab.cells(lab.tests):
        cell.source = _score(cell)


@forgery("metadata")
def tests_are_tasks(lab):
    """Another part in the notebook."""
    _about(lab, lab.tests, task=True, grade=False)


@forgery("metadata")
def tests_are_not_locked(lab):
    """What is not locked is not put back."""
    _about(lab, lab.tests, locked=False)
    for cell in lab.cells(lab.tests):
        cell.source = "pass"


@forgery("metadata")
def locked_cells_are_not_locked(lab):
    """What is not locked is not put back, nor is it the judge's."""
    lab.write(ALWAYS)
    _about(lab, lab.locked, locked=False)
    for cell in lab.cells(lab.locked):
        cell.source = lab.cells(lab.answers)[0].source


@forgery("metadata")
def locked_cells_are_answers(lab):
    """Names that answers define are asked of the student."""
    lab.write(ALWAYS)
    _about(lab, lab.locked, locked=False, solution=True)


@forgery("metadata")
def answers_are_tests(lab):
    """An answer that is graded by itself, and ends with its points."""
    _about(lab, lab.answers, grade=True, solution=False, locked=True, points=100)
    for cell in lab.cells(lab.answers):
        cell.source = "100.0"


@forgery("metadata")
def answers_are_locked(lab):
    """What is locked may run where the tests do."""
    lab.write(ALWAYS)
    _about(lab, lab.answers, solution=False, locked=True)


@forgery("metadata")
def tests_change_places_with_answers(lab):
    """The name of a test on an answer, and of an answer on a test."""
    for test, answer in zip(lab.cells(lab.tests), lab.cells(lab.answers), strict=False):
        test.metadata, answer.metadata = answer.metadata, test.metadata
        answer.source = "pass"


@forgery("metadata")
def tests_exchange_their_names(lab):
    """A cheap test under the name of a dear one."""
    tests = lab.cells(lab.tests)
    names = [_name(cell) for cell in tests]
    for cell, name in zip(tests, reversed(names), strict=True):
        cell.metadata["nbgrader"]["grade_id"] = name
        cell.source = "pass"


@forgery("metadata")
def locked_cells_and_answers_exchange_their_names(lab):
    """The text of a locked cell is the student's."""
    lab.write(ALWAYS)
    for locked, answer in zip(lab.cells(lab.locked), lab.cells(lab.answers), strict=False):
        one, other = locked.metadata["nbgrader"], answer.metadata["nbgrader"]
        one["grade_id"], other["grade_id"] = other["grade_id"], one["grade_id"]


@forgery("metadata")
def tests_are_renamed(lab):
    """The instructor does not know them."""
    for cell in lab.cells(lab.tests):
        cell.metadata["nbgrader"]["grade_id"] += "-x"


@forgery("metadata")
def locked_cells_are_renamed(lab):
    """The instructor does not know them, and their text is not put back."""
    lab.write(ALWAYS)
    for cell in lab.cells(lab.locked):
        cell.metadata["nbgrader"]["grade_id"] += "-x"
        cell.source = "pass"


@forgery("metadata")
def all_tests_have_one_name(lab):
    """One test for all."""
    for cell in lab.cells(lab.tests):
        cell.metadata["nbgrader"]["grade_id"] = lab.tests[0]


@forgery("metadata")
def an_old_schema(lab):
    """Metadata that is upgraded when it is read."""
    _about(lab, lab.tests, schema_version=1)
    _about(lab, lab.locked, schema_version=0)


@forgery("metadata")
def a_schema_of_the_future(lab):
    """Metadata that nobody can read yet."""
    _about(lab, lab.tests, schema_version=99)


@forgery("metadata")
def another_kind_of_cell_is_claimed(lab):
    """The metadata says text, and planted checksums and scores."""
    _about(lab, lab.tests, cell_type="markdown", checksum="0" * 32, score=100, comment="well done")


# -- points ----------------------------------------------------------------------------------------


def _points(name: str, what: str, value: object) -> None:
    def change(lab: Lab) -> None:
        _about(lab, lab.tests, points=value)

    change.__name__, change.__doc__ = name, what
    forgery("points")(change)


_points("huge_points", "A test that is worth a million.", 10**6)
_points("negative_points", "A test that cannot be lost.", -5)
_points("points_that_are_no_number", "No sum with it is wrong.", float("nan"))
_points("infinite_points", "More than all others.", float("inf"))
_points("points_as_text", "A text that reads as a number.", "100")
_points("no_points", "Neither possible nor lost.", 0)


@forgery("points")
def missing_points(lab):
    """A test of which nobody knows the points."""
    for cell in lab.cells(lab.tests):
        del cell.metadata["nbgrader"]["points"]


@forgery("points")
def points_for_locked_cells(lab):
    """A locked cell that runs well, and counts."""
    _about(lab, lab.locked, grade=True, points=50)


# -- the notebook as a whole -----------------------------------------------------------------------


@forgery("notebook")
def saved_in_format_3(lab):
    """An old program's worksheets."""
    lab.write(ALWAYS)
    cells = []
    for cell in lab.notebook.cells:
        body = "input" if cell.cell_type == "code" else "source"
        about = {"metadata": dict(cell.metadata), "cell_type": cell.cell_type, body: cell.source}
        more = {"language": "python", "outputs": [], "collapsed": False}
        cells.append({**about, **(more if cell.cell_type == "code" else {})})
    sheet = {"cells": cells, "metadata": {}}
    return NotebookNode(metadata={"name": ""}, nbformat=3, nbformat_minor=0, worksheets=[sheet])


@forgery("notebook")
def saved_in_format_4_0(lab):
    """Without ids, locked cells without metadata."""
    lab.write(OBLIGES.replace("RETURNED", "None") + "give(None)")
    for cell in lab.cells(lab.locked):
        del cell.metadata["nbgrader"]
    for cell in lab.notebook.cells:
        del cell["id"]
    lab.notebook.nbformat_minor = 0


@forgery("notebook")
def saved_in_a_format_of_the_future(lab):
    """A format that nobody knows yet."""
    lab.notebook.nbformat_minor = 99
    for cell in lab.cells(lab.tests):
        cell.source = "pass"


@forgery("notebook")
def for_another_kernel(lab):
    """A kernel that is not there, or for which there is no judge."""
    lab.notebook.metadata["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}  # fmt: skip
    lab.write("exit 0")


@forgery("notebook")
def in_another_language(lab):
    """The notebook says in which language it is written."""
    lab.notebook.metadata["language_info"] = {"name": "bash", "mimetype": "text/x-sh", "pygments_lexer": "bash"}  # fmt: skip
    lab.notebook.metadata["kernelspec"]["language"] = "bash"


@forgery("notebook")
def with_settings_of_its_own(lab):
    """Keys that a grader might take for its own."""
    own = {"judge": False, "answers": lab.tests, "points": 100, "sandbox": "none", "skip": True}
    for key in ("gradewell", "nbgrader", "Runner", "execute", "nbclient"):
        lab.notebook.metadata[key] = own
    lab.notebook.metadata.update(celltoolbar="Create Assignment", allow_errors=True, timeout=1)
    for cell in lab.cells(lab.tests):
        cell.metadata.update(gradewell=own, execution={"status": "ok"}, trusted=True)


@forgery("notebook")
def with_outputs_of_its_own(lab):
    """The output of a test that passed, with its points."""
    for number, cell in enumerate(lab.cells(lab.tests), 1):
        data = {"text/plain": _score(cell)}
        cell.outputs = [new_output("execute_result", data=data, execution_count=number)]
        cell.execution_count = number


@forgery("notebook")
def with_outputs_of_tests_that_are_skipped(lab):
    """The output of a test that passed, and nothing that would put another in its place."""
    with_outputs_of_its_own(lab)
    tests_are_skipped(lab)


@forgery("notebook")
def without_cells(lab):
    """An empty notebook has nothing that is wrong."""
    lab.notebook.cells = []


@forgery("notebook")
def without_source(lab):
    """Cells as no format allows them."""
    for cell in lab.cells(lab.tests):
        del cell["source"]


# -- files beside it -------------------------------------------------------------------------------


@forgery("files")
def modules_are_handed_in(lab):
    """Modules that the judge would import from the folder."""
    module = "def __getattr__(name):\n    return lambda *a, **k: None\n"
    names = "pandas", "numpy", "math", "sitecustomize", "usercustomize", "conftest", "dataclasses"
    lab.files.update({f"{name}.py": module for name in names})
    lab.files.update({f"{name}/__init__.py": module for name in ("gradewell", "datapolis")})
    lab.files["gradewell/checks/__init__.py"] = module
    lab.files["ipython_config.py"] = "c.InteractiveShellApp.exec_lines = ['import builtins']"


@forgery("files")
def data_are_handed_in(lab):
    """A data file of the instructor's, with other data."""
    lab.files["truth.csv"] = "amount\n0\n"
    lab.write("give(0)")


@forgery("files")
def settings_are_handed_in(lab):
    """nbgrader's configuration, a gradebook and what a run leaves."""
    lab.files["nbgrader_config.py"] = "c = get_config()\nc.Runner.judge = False\n"
    lab.files["not_graded.txt"] = lab.files["gradebook.db"] = lab.files["secret.txt"] = "0"
    lab.files[".ipython/profile_default/startup/00.py"] = "import builtins\nbuiltins.abs = len\n"


def _written(kind: str, name: str, what: str, code: str) -> None:
    def change(lab: Lab) -> None:
        lab.write(code)

    change.__name__, change.__doc__ = name, what
    forgery(kind)(change)


for _kind, _table in CODE.items():
    for _code_name, (_what, _code) in _table.items():
        _written(_kind, _code_name, _what, _code)
