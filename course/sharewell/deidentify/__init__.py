"""De-identification: make a table say less about each person, in steps that are data.

A recipe is a list of steps. It can be written in YAML, read by people who do not program, kept beside the release, and
applied again to next year's table:

>>> import polars as pl
>>> from sharewell.deidentify import Recipe
>>> recipe = Recipe.parse('''
... - drop: [name]
... - pseudonymise: {column: id, key: hospital}
... - band: {column: age, width: 10}
... - round: {column: income, to: 1000}
... ''')
>>> table = pl.DataFrame({"name": ["Li", "Wu"], "id": ["a", "b"], "age": [34, 47], "income": [51_499, 20_500]})
>>> recipe.apply(table, keys={"hospital": "a key of sixteen characters or more"})["age", "income"].rows()
[('30-39', 51000), ('40-49', 20000)]
>>> print(recipe)
1. Leave out name.
2. Replace id by a pseudonym made with the key 'hospital'.
3. Give age in bands of 10.
4. Round income to 1000.

Which levels to choose so that k people agree is a search: ``recoded`` finds the recipe that loses least, and ``partitioned`` loses less still by
giving each row ranges of its own:

>>> from sharewell.deidentify import partitioned, recoded
>>> people = pl.DataFrame({"age": [31, 33, 38, 52, 54, 55], "town": ["Ash", "Elm", "Ash", "Oak", "Oak", "Elm"]})
>>> towns = {"Ash": ["north"], "Elm": ["north"], "Oak": ["south"]}
>>> print(recoded(people, {"age": [10, 50], "town": towns}, k=3).recipe)
1. Give age in bands of 10.
2. Leave out town.
>>> partitioned(people, ["age", "town"], k=3)[0].rows()[2:4]
[('31 to 38', 'Ash to Elm'), ('52 to 55', 'Elm to Oak')]

What none of the steps promises: that nobody can be found. ``sharewell.risk`` measures it, ``gradewell.checks`` attacks it.
"""

from sharewell.deidentify.microaggregation import microaggregated
from sharewell.deidentify.partitioning import partitioned
from sharewell.deidentify.pseudonyms import pseudonym
from sharewell.deidentify.recipe import Recipe
from sharewell.deidentify.recoding import Recoding, recoded

__all__ = ["Recipe", "Recoding", "microaggregated", "partitioned", "pseudonym", "recoded"]
