"""nbgrader's configuration of a Sharewell course. Add your campus's own settings below.

https://nbgrader.readthedocs.io/en/stable/configuration/config_options.html lists what there is.
"""

import os
from pathlib import Path

from gradewell import waiting
from gradewell.runner.execute import preprocessors
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from sharewell import content, variant

c = get_config()  # noqa: F821 (nbgrader provides it)
root = Path(__file__).parent

c.CourseDirectory.course_id = "sharewell"
c.CourseDirectory.root = str(root)

# Hidden checks draw their populations from this secret, the same for all submissions of the course.
secret = root / "secret.txt"
if secret.is_file():
    os.environ["SHAREWELL_SECRET"] = secret.read_text(encoding="utf-8").strip()
    # ... and each student's own variant of the visible data (sharewell.my_seed).
    c.Runner.student_environment = variant.environment(os.environ["SHAREWELL_SECRET"])

# A lab may run for 20 s in all; a cell that takes 60 s is stuck.
c.Execute.timeout = 60
c.Execute.shutdown_kernel = "immediate"
c.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--log-level=ERROR"]

# `sharewell grade` runs submissions in a sandbox, without access to model solutions; so do `nbgrader autograde` and
# formgrader's button.
c.Autograde.autograde_preprocessors = preprocessors()
c.Autograde.exporter_class = "gradewell.runner.exporter.Restored"
c.Runner.environment = ["SHAREWELL_SECRET"]
c.Runner.judge = (
    True  # tests run apart from the student's code, in a process that only asks it for values
)
c.Runner.hidden = [str(content.root() / "source"), str(content.submissions())]

# What students write and put out reaches feedback and formgrader without anything that acts or is loaded from elsewhere.
c.HTMLExporter.preprocessors = ["gradewell.pages.Harmless"]
c.HTMLExporter.filters = {"markdown2html": "gradewell.pages.markdown2html"}

# Where a person has to grade, feedback pages and `nbgrader export` say so.
c.GenerateFeedback.preprocessors = [waiting.Grades, CSSHTMLHeaderPreprocessor]
c.GenerateFeedback.exporter_class = waiting.FeedbackExporter
c.ExportApp.plugin_class = waiting.CsvExport

# `nbgrader zip_collect LAB` reads what a learning platform exports into downloaded/LAB/archive:
# STUDENT_attempt_20261005T183000_LAB.ipynb
c.FileNameCollectorPlugin.named_regexp = (
    r".*[/\\](?P<student_id>[^/\\]+?)_attempt_(?P<timestamp>[0-9T-]+)_(?P<file_id>[^/\\]+)\.ipynb$"
)
