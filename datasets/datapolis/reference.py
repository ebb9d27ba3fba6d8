"""Reference data: the public code lists of Datapolis, and the name lists that Faker supplies.

Code lists are what a real country publishes (district codes, levels of education, a list of
diagnoses). They say nothing about anybody and anyone may read them. Every list is there in English
(``en_US``) and in Chinese (``zh_CN``), entry by entry in the same order but for names and jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datapolis.errors import DatapolisError

LOCALES = ("en_US", "zh_CN")


class District(NamedTuple):
    name: str
    chinese: str
    code: str  # two digits, used in identity numbers
    share: float  # of the population
    income: float  # median income relative to the country's
    north: float  # degrees, in the sea off no coast
    east: float
    area: float  # square kilometres


DISTRICTS = (
    District("Harbourside", "海港区", "01", 0.145, 1.12, 24.48, 134.22, 31),
    District("Old Quarter", "老城区", "02", 0.118, 1.05, 24.5, 134.2, 12),
    District("Millbrook", "磨溪区", "03", 0.112, 0.92, 24.54, 134.17, 38),
    District("Northgate", "北门区", "04", 0.104, 0.97, 24.57, 134.21, 44),
    District("Eastmarsh", "东泽区", "05", 0.096, 0.81, 24.5, 134.28, 57),
    District("University Hill", "大学山区", "06", 0.088, 1.21, 24.53, 134.22, 26),
    District("Foundry", "铸造区", "07", 0.083, 0.86, 24.46, 134.26, 35),
    District("Lakeview", "湖景区", "08", 0.079, 1.34, 24.55, 134.13, 48),
    District("Southfield", "南原区", "09", 0.071, 0.94, 24.43, 134.2, 52),
    District("Orchard Vale", "果园谷区", "10", 0.052, 0.88, 24.47, 134.1, 96),
    District("Pine Ridge", "松岭区", "11", 0.036, 0.90, 24.64, 134.16, 210),
    District("Saltwick Island", "盐湾岛区", "12", 0.016, 0.79, 24.36, 134.33, 74),
)

SEXES = ("female", "male")
_SEXES_CHINESE = ("女", "男")

EDUCATION = ("none yet", "primary", "secondary", "vocational", "bachelor", "master", "doctorate")
_EDUCATION_CHINESE = ("尚未入学", "小学", "中学", "职业学校", "本科", "硕士", "博士")

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

_SCHOOLING_CHINESE = {
    "doctorate": ("教授", "医生", "医师", "科学", "研究员", "博士"),
    "master": ("律师", "架构", "总监", "顾问", "专家", "翻译", "精算", "首席"),
    "bachelor": (
        "工程师",
        "教师",
        "老师",
        "经理",
        "分析",
        "设计师",
        "编辑",
        "会计",
        "记者",
        "程序员",
        "护士",
    ),
}

NOT_IN_WORK = ("child", "pupil or student", "not in work", "retired")
_NOT_IN_WORK_CHINESE = ("儿童", "学生", "未就业", "退休")

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


class Vocabulary(NamedTuple):
    """The words of one locale. Each pair is (words, their cumulative shares)."""

    districts: tuple[str, ...]
    sexes: tuple[str, ...]
    education: tuple[str, ...]
    not_in_work: tuple[str, ...]
    given_names: tuple[tuple[NDArray[np.str_], NDArray[np.float64]], ...]  # by sex
    family_names: tuple[NDArray[np.str_], NDArray[np.float64]]
    jobs: dict[str, NDArray[np.str_]]  # by schooling, its English name
    streets: NDArray[np.str_]
    street_shares: NDArray[np.float64]
    street_suffixes: tuple[str, ...]
    company_ends: tuple[str, ...]


@cache
def vocabulary(locale: str) -> Vocabulary:
    """Faker's name lists and our code lists in ``locale``, one of LOCALES."""
    address, company, job, person = (
        import_module(f"faker.providers.{part}.{locale}").Provider
        for part in ("address", "company", "job", "person")
    )
    if locale == "zh_CN":
        streets = np.array(address.cities)
        shares = np.arange(1, len(streets) + 1) / len(streets)
        lists = (_SEXES_CHINESE, _EDUCATION_CHINESE, _NOT_IN_WORK_CHINESE)
        names = (person.first_names_female, person.first_names_male)
        given = tuple(_cumulative(dict.fromkeys(every, 1.0)) for every in names)
        signs = _SCHOOLING_CHINESE
        districts = tuple(district.chinese for district in DISTRICTS)
    else:
        streets, shares = _cumulative(person.last_names)
        lists = (SEXES, EDUCATION, NOT_IN_WORK)
        names = (person.first_names_female, person.first_names_male)
        given = tuple(_cumulative(every) for every in names)
        signs = _SCHOOLING
        districts = tuple(district.name for district in DISTRICTS)
    return Vocabulary(
        districts,
        *lists,
        given,
        _cumulative(person.last_names),
        _by_schooling(job.jobs, signs),
        streets,
        shares,
        tuple(address.street_suffixes),
        tuple(company.company_suffixes),
    )


def _cumulative(weights: dict[str, float]) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    total = np.cumsum(np.fromiter(weights.values(), dtype=float))
    return np.array(list(weights), dtype=str), total / total[-1]


def _by_schooling(
    titles: Sequence[str], signs: dict[str, tuple[str, ...]]
) -> dict[str, NDArray[np.str_]]:
    """Job titles by the schooling they usually ask for."""
    by_schooling: dict[str, list[str]] = {level: [] for level in EDUCATION[2:]}
    for job in sorted(set(titles)):
        words = job.lower()
        for level, wanted in signs.items():
            if any(sign in words for sign in wanted):
                by_schooling[level].append(job)
                break
        else:
            by_schooling["vocational" if len(job) % 3 else "secondary"].append(job)
    return {level: np.array(jobs, dtype=str) for level, jobs in by_schooling.items()}


@cache
def occupations(locale: str) -> pa.Array:
    """NOT_IN_WORK, then all jobs, in the order of their schooling."""
    words = vocabulary(locale)
    jobs = [str(job) for level in EDUCATION[2:] for job in words.jobs[level]]
    return pa.array([*words.not_in_work, *jobs])


def codelists() -> list[str]:
    """The names that :func:`codelist` knows."""
    return ["district", "sex", "education", "occupation", "diagnosis", "given name", "family name"]


def codelist(name: str, locale: str = "en_US") -> frozenset[str]:
    """All values that a column of this kind may hold. Diagnoses are in English everywhere.

    Raises
    ------
    DatapolisError
        When there is no such list or locale; the message names those that there are.
    """
    if locale not in LOCALES:
        raise DatapolisError(f"no locale {locale!r}; there are: {', '.join(LOCALES)}")
    words = vocabulary(locale)
    match name:
        case "district":
            return frozenset(words.districts)
        case "sex":
            return frozenset(words.sexes)
        case "education":
            return frozenset(words.education)
        case "occupation":
            return frozenset(occupations(locale).to_pylist())
        case "diagnosis":
            return frozenset(DIAGNOSES)
        case "given name":
            return frozenset(str(name) for names, _ in words.given_names for name in names)
        case "family name":
            return frozenset(words.family_names[0].tolist())
    raise DatapolisError(f"no code list {name!r}; there are: {', '.join(codelists())}")
