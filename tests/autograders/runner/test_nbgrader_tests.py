"""nbgrader's own tests of ``nbgrader autograde``, run with ``gradewell autograde``."""

import os
import re
import subprocess
import sys
from pathlib import Path

# What we do otherwise, on purpose.
DIFFERENT = {
    # a notebook that fails costs itself, and not the rest of the submission
    "test_handle_failure",
    "test_handle_failure_single_notebook",
    # a submission without a notebook is reported, not passed over
    "test_missing_files",
    # a time that cannot be read is said, and ends nothing
    "test_grade_empty_timestamp",
    # a notebook of which there is no graded one is graded, whatever else is there
    "test_filter_notebook",
    # the kernel is the instructor's
    "test_missing_source_kernelspec",
    # no run, no points: outputs that were handed in are none
    "test_no_execute",
}


def test_nbgraders_own_tests_pass(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "nbgrader.tests.apps.test_nbgrader_autograde", "-q",
         "-p", "nbgrader_with_gradewell", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    failed = set(re.findall(r"^FAILED .*::(\w+)", ran.stdout, re.MULTILINE))
    assert failed == DIFFERENT, ran.stdout[-5000:]
    assert int(re.search(r"(\d+) passed", ran.stdout)[1]) >= 40 - len(DIFFERENT)
