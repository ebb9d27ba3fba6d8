"""Checks that labs call in their test cells.

A check takes a student's function, tries it on populations, and returns a :class:`Result`: points, and
what was wrong in words that help. As the last line of a test cell a Result gives nbgrader its points;
``Result.require()`` is for visible checks, which pass or say what to mend.
"""

from gradewell.checks.parsons import assemble
from gradewell.checks.population import population_seed
from gradewell.checks.result import CheckFailed, Problem, Result

__all__ = ["CheckFailed", "Problem", "Result", "assemble", "population_seed"]
