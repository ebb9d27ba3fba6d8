"""Sharewell: a course on sharing public data openly and safely, as software.

The toolkit that lessons and labs use (:mod:`sharewell.classify`, :mod:`sharewell.risk`, :mod:`sharewell.plots`) and the
command line (``sharewell --help``).
"""

from sharewell.errors import SharewellError

__version__ = "0.1.0"

__all__ = ["SharewellError", "__version__"]
