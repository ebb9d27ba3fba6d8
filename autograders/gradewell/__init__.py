"""gradewell: grading for nbgrader courses that attacks what students release.

:mod:`gradewell.checks` holds the checks that labs call; :mod:`gradewell.samples` turns the sample
submissions of a lab (right ones, and wrong ones with the points that each must get) into notebooks.
"""
