"""A hospital's table and how releases of it are read: by an attacker who knows some columns of everybody, and by who wants to use them.

The share of people whose illness a release gives away is one number for all of it: everybody for whom all rows that can be theirs
say the same, whether there is one such row (linkage) or a whole class of them (homogeneity).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import datapolis
import numpy as np
import pandas as pd

from gradewell.checks.coding import Coarser, between, distances
from gradewell.checks.utility import loss

KNOWN = ("sex", "age", "district", "nights")
"""What an attacker knows of somebody: the quasi-identifiers."""
SECRET = "illness"
K, L = 5, 2
"""How many people agree in each row, and how many illnesses stand in each class."""
AREAS: Mapping[str, str] = {
    **dict.fromkeys(("Harbourside", "Old Quarter", "Millbrook", "University Hill"), "city"),
    **dict.fromkeys(("Northgate", "Eastmarsh", "Foundry", "Lakeview", "Southfield"), "suburbs"),
    **dict.fromkeys(("Orchard Vale", "Pine Ridge", "Saltwick Island"), "country"),
}
"""The area of each district."""
WITHIN: Coarser = {"district": {name: [area] for name, area in AREAS.items()}}
"""The groups that a release may use, for ``gradewell.checks.coding``."""
_GROUPS = {
    "infection": ("COVID-19", "HIV infection", "hepatitis B", "influenza", "tuberculosis", "pneumonia", "bronchitis"),
    "mental illness": ("anxiety disorder", "depression", "eating disorder", "schizophrenia", "substance dependence", "dementia"),
    "cancer": ("breast cancer", "colorectal cancer", "lung cancer", "melanoma", "prostate cancer"),
}  # fmt: skip
_GROUP = {illness: name for name, some in _GROUPS.items() for illness in some}


def patients(seed: int) -> pd.DataFrame:
    """One hospital's patients of a year: ``phone``, what is known of them (``KNOWN``), and ``illness``; one row a patient.

    Parameters
    ----------
    seed : int
        Of the hospital.

    Returns
    -------
    pandas.DataFrame
        About 1,700 rows.
    """
    stays = datapolis.load("hospital_stays", scale=0.2, seed=seed).drop_duplicates("patient")
    random = np.random.default_rng([seed, 8])
    phones = random.choice(10_000_000, len(stays), replace=False)
    return pd.DataFrame(
        {
            "phone": [f"1037{number:07}" for number in phones],
            "sex": stays["sex"].to_numpy(dtype=object),
            "age": 2025 - stays["birth_date"].dt.year.to_numpy(dtype=np.int64),
            "district": stays["district"].to_numpy(dtype=object),
            "nights": stays["nights"].to_numpy(dtype=np.int64),
            SECRET: [_GROUP.get(one, "other") for one in stays["diagnosis"]],
        }
    )


def coarse(
    age: int, nights: int, areas: bool, k: int = K, varied: int = L
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A release in bands of so many years and nights, without the classes of fewer than ``k`` people or ``varied`` illnesses."""

    def made(people: pd.DataFrame) -> pd.DataFrame:
        release = people.drop(columns="phone").assign(
            age=_bands(people["age"], age),
            nights=_bands(people["nights"], nights),
            district=people["district"].map(AREAS) if areas else people["district"],
        )
        classes = release.groupby(list(KNOWN))[SECRET]
        return release[(classes.transform("size") >= k) & (classes.transform("nunique") >= varied)]

    return made


def _bands(column: pd.Series, width: int) -> pd.Series:
    low = column // width * width
    return low.astype(str) + "-" + (low + width - 1).astype(str)


def read(release: pd.DataFrame, people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """For each person which rows can be theirs, and how often these say each illness; shapes (people, rows), (people, illnesses)."""
    fits = distances(release, people, KNOWN, WITHIN) == 0
    said = release[SECRET].astype(str).to_numpy()
    each = np.array([said == illness for illness in _illnesses()], dtype=np.float32).T
    return fits, fits.astype(np.float32) @ each.reshape(len(release), len(_illnesses()))


def _illnesses() -> list[str]:
    return [*_GROUPS, "other"]


def certain(counts: np.ndarray, people: pd.DataFrame) -> np.ndarray:
    """Who is left with one illness, and has it."""
    names = np.array(_illnesses(), dtype=object)
    true: np.ndarray = names[counts.argmax(axis=1)] == people[SECRET].to_numpy(dtype=object)
    return ((counts > 0).sum(axis=1) == 1) & true


def utility_lost(release: pd.DataFrame, people: pd.DataFrame, seed: int) -> float:
    """What a release does not tell of its patients, 0 (nothing is lost) to 1.

    The mean of two: how far questions of chance are off (``gradewell.checks.utility.loss``), and how coarse the known columns are: the
    share of all patients that a value could be about, beyond what the true value is about. Rows that were left out are lost.

    Parameters
    ----------
    release, people : pandas.DataFrame
    seed : int
        Of the questions.
    """
    asked = loss(release, people, [*KNOWN, SECRET], seed, WITHIN).total
    coarse = float(np.mean([_coarse(release, people, name) for name in KNOWN]))
    return (asked + coarse) / 2


def _coarse(release: pd.DataFrame, people: pd.DataFrame, name: str) -> float:
    if name not in release or not len(release):
        return 1.0
    shares = people[name].value_counts(normalize=True)
    codes, said = pd.factorize(release[name].astype(object), use_na_sentinel=False)
    fits = between(list(said), list(shares.index), WITHIN.get(name, {})) == 0
    about = (fits.T @ shares.to_numpy())[codes]
    about[about == 0] = 1.0  # what nobody can read tells nothing
    exact = float((shares**2).sum())
    kept = min(1.0, len(release) / len(people))
    return 1 - kept * (1 - max(0.0, float(about.mean()) - exact) / (1 - exact))
