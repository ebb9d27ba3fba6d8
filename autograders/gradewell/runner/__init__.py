"""Grade any nbgrader course many times faster, and safe against the code that is graded.

``gradewell autograde ASSIGNMENT`` in a course's folder does what ``nbgrader autograde`` does: the same folders,
configuration, gradebook, feedback and formgrader. Only how notebooks are executed, and how many at once, is different.

- ``command`` and ``app``: from options and configuration to a run; ``report``: what a person sees of it.
- ``run``: several submissions at once; ``autograde``: nbgrader's converter, for one of them; ``sanitize``, ``execute`` and
  ``replay``: its preprocessors; ``gradebook``: one connection, one transaction a submission; ``submission``: what became of it, and why.
- ``runner``: the settings, and where notebooks run: in forks of ``forkserver``, in ordinary ``kernels``, on a ``cluster``; ``sandbox``:
  what they see there; ``inside``: what runs in there; ``job``: what goes in and comes out.

This package knows nbgrader, and nothing of data or privacy.
"""
