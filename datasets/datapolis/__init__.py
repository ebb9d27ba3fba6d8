"""Datapolis: a synthetic country to practise data sharing on.

No person in it exists. Every table is deterministic: the same name, number of rows and seed give the
same table on every machine, and a longer table begins with the shorter one.

>>> import datapolis
>>> residents = datapolis.load("residents", rows=1_000, seed=7)
>>> list(residents.columns[:3])
['person_id', 'household_id', 'given_name']
"""

from datapolis.errors import DatapolisError
from datapolis.reference import codelist, codelists
from datapolis.store import load, schema, tables, truth, write

__all__ = ["DatapolisError", "codelist", "codelists", "load", "schema", "tables", "truth", "write"]
