"""Sharewell: a course on sharing public data openly and safely, as software.

The toolkit that lessons and labs use (:mod:`sharewell.classify`, :mod:`sharewell.risk`, :mod:`sharewell.deidentify`,
:mod:`sharewell.exchange`, :mod:`sharewell.plots`), each student's own variant (:func:`my_seed`), and the command line (``sharewell --help``).
"""

from sharewell.errors import SharewellError
from sharewell.variant import my_seed

__version__ = "0.1.0"

__all__ = ["SharewellError", "__version__", "my_seed"]
