"""Grade any nbgrader course many times faster, and safe against the code that is graded.

``gradewell autograde ASSIGNMENT`` in a course's folder does what ``nbgrader autograde`` does: the same folders,
configuration, gradebook, feedback and formgrader. Only how notebooks are executed, and how many at once, is different.

- ``app``: the command; ``autograde``: the converter, several submissions at once; ``gradebook``: one connection, one
  transaction a submission; ``execute``: nbgrader's Execute preprocessor with our kernel.
- ``forkserver``, ``sandbox``, ``kernels``: where notebooks run; ``inside``: what runs in there.
- ``cluster``: the same on many machines; ``report``: what a person sees.

This package knows nbgrader, and nothing of data or privacy.
"""
