"""Grade any nbgrader course many times faster, and safe against the code that is graded.

``gradewell autograde ASSIGNMENT`` in a course's folder does what ``nbgrader autograde`` does: the same folders,
configuration, gradebook, feedback and formgrader. Only how notebooks are executed, and how many at once, is different.

- ``command`` and ``app``: from options and configuration to a run; ``report``: what a person sees of it.
- ``run``: several submissions at once; ``autograde``: nbgrader's converter, for one of them; ``gradebook``: one connection, one transaction a
  submission; ``changes``: whether it is to be graded again; ``submission``: what became of it, and why.
- ``handed_in``: what a student handed in, read as a person would; ``original``: the instructor's notebook; ``restore``: the answers of the one in the other;
  ``exporter``: all this, for nbgrader's converters. ``execute`` and ``replay``: nbgrader's preprocessor that runs it; ``score``: no run, no points.
- ``runner``: the settings, and where notebooks run: in forks of ``forkserver``, in ordinary ``kernels``, on a ``cluster``; ``sandbox``:
  what they see there; ``inside``: what runs in there; ``job``: what goes in and comes out.

This package knows nbgrader, and nothing of data or privacy.
"""
