"""gradewell: grading for nbgrader courses that attacks what students release.

:mod:`gradewell.checks` holds the checks that labs call; :mod:`gradewell.samples` turns the sample
submissions of a lab (right, wrong and hostile ones, with the points that each must get) into notebooks, and
:mod:`gradewell.verify` grades them all; :mod:`gradewell.runner` grades the submissions of any nbgrader course.
"""
