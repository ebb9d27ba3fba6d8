"""Reference data: the public code lists of Datapolis, and the name lists that Faker supplies.

Code lists are what a real country publishes (district codes, levels of education, a list of
diagnoses). They say nothing about anybody and anyone may read them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from faker.providers.address.en_US import Provider as _Address
from faker.providers.job.en_US import Provider as _Job
from faker.providers.person.en_US import Provider as _Person
from numpy.typing import NDArray

from datapolis.errors import DatapolisError


class District(NamedTuple):
    name: str
    code: str  # two digits, used in identity numbers
    share: float  # of the population
    income: float  # median income relative to the country's


DISTRICTS = (
    District("Harbourside", "01", 0.145, 1.12),
    District("Old Quarter", "02", 0.118, 1.05),
    District("Millbrook", "03", 0.112, 0.92),
    District("Northgate", "04", 0.104, 0.97),
    District("Eastmarsh", "05", 0.096, 0.81),
    District("University Hill", "06", 0.088, 1.21),
    District("Foundry", "07", 0.083, 0.86),
    District("Lakeview", "08", 0.079, 1.34),
    District("Southfield", "09", 0.071, 0.94),
    District("Orchard Vale", "10", 0.052, 0.88),
    District("Pine Ridge", "11", 0.036, 0.90),
    District("Saltwick Island", "12", 0.016, 0.79),
)

SEXES = ("female", "male")

EDUCATION = ("none yet", "primary", "secondary", "vocational", "bachelor", "master", "doctorate")

# Words in a job title that tell which schooling it asks for; the first that fits decides.
_SCHOOLING = {
    "doctorate": ("lecturer", "physicist", "research scientist", "surgeon", "doctor", "psychologist"),
    "master": (
        "chartered", "architect", "barrister", "solicitor", "pharmacist", "geologist", "economist",
        "scientist", "actuary", "veterinary", "dentist", "consultant", "chemist", "astronomer",
    ),
    "bachelor": (
        "engineer", "teacher", "manager", "analyst", "nurse", "developer", "designer", "editor",
        "accountant", "officer", "journalist", "therapist", "librarian", "programmer", "planner",
    ),
}  # fmt: skip

NOT_IN_WORK = ("child", "pupil or student", "not in work", "retired")

DIAGNOSES = (
    "asthma", "atrial fibrillation", "anxiety disorder", "breast cancer", "bronchitis", "cataract",
    "chronic kidney disease", "coeliac disease", "colorectal cancer", "coronary heart disease",
    "COPD", "COVID-19", "dementia", "depression", "dermatitis", "diverticulitis", "eating disorder",
    "endometriosis", "epilepsy", "gastritis", "glaucoma", "gout", "heart failure", "hepatitis B",
    "hip fracture", "HIV infection", "hypertension", "hypothyroidism", "influenza", "kidney stones",
    "lung cancer", "lupus", "melanoma", "migraine", "multiple sclerosis", "osteoarthritis",
    "osteoporosis", "Parkinson's disease", "pneumonia", "prostate cancer", "psoriasis",
    "rheumatoid arthritis", "schizophrenia", "sickle cell disease", "stroke", "substance dependence",
    "tuberculosis", "type 1 diabetes", "type 2 diabetes", "ulcerative colitis",
)  # fmt: skip

STREET_SUFFIXES = tuple(_Address.street_suffixes)


@cache
def given_names(sex: str) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Names and their cumulative shares, from Faker's ``en_US`` list for ``sex``."""
    return _cumulative(_Person.first_names_female if sex == "female" else _Person.first_names_male)


@cache
def family_names() -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    return _cumulative(_Person.last_names)


def _cumulative(weights: dict[str, float]) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    total = np.cumsum(np.fromiter(weights.values(), dtype=float))
    return np.array(list(weights), dtype=str), total / total[-1]


@cache
def occupations() -> dict[str, NDArray[np.str_]]:
    """Job titles from Faker, by the schooling they usually ask for."""
    by_schooling: dict[str, list[str]] = {level: [] for level in EDUCATION[2:]}
    for job in sorted(set(_Job.jobs)):
        words = job.lower()
        for level, signs in _SCHOOLING.items():
            if any(sign in words for sign in signs):
                by_schooling[level].append(job)
                break
        else:
            by_schooling["vocational" if len(job) % 3 else "secondary"].append(job)
    return {level: np.array(jobs, dtype=str) for level, jobs in by_schooling.items()}


def codelists() -> list[str]:
    """The names that :func:`codelist` knows."""
    return ["district", "sex", "education", "occupation", "diagnosis", "given name", "family name"]


def codelist(name: str) -> frozenset[str]:
    """All values that a column of this kind may hold.

    Raises
    ------
    DatapolisError
        When there is no such list; the message names those that there are.
    """
    match name:
        case "district":
            return frozenset(district.name for district in DISTRICTS)
        case "sex":
            return frozenset(SEXES)
        case "education":
            return frozenset(EDUCATION)
        case "occupation":
            jobs = (str(job) for titles in occupations().values() for job in titles)
            return frozenset(jobs) | frozenset(NOT_IN_WORK)
        case "diagnosis":
            return frozenset(DIAGNOSES)
        case "given name":
            return frozenset(_Person.first_names_female) | frozenset(_Person.first_names_male)
        case "family name":
            return frozenset(_Person.last_names)
    raise DatapolisError(f"no code list {name!r}; there are: {', '.join(codelists())}")
