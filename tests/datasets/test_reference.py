import datapolis
import pytest
from datapolis.reference import LOCALES, occupations, vocabulary


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", datapolis.codelists())
def test_code_lists_hold_every_value_in_use(name, locale):
    listed = datapolis.codelist(name, locale)
    assert listed
    column = name.replace(" ", "_")
    residents = datapolis.load("residents", rows=20_000, seed=1, locale=locale)
    if column in residents:
        assert set(residents[column]) <= listed


def test_an_unknown_code_list_names_the_known_ones():
    with pytest.raises(datapolis.DatapolisError, match="district, sex"):
        datapolis.codelist("star sign")
    with pytest.raises(datapolis.DatapolisError, match="en_US, zh_CN"):
        datapolis.codelist("sex", "fr_FR")


def test_every_job_asks_for_one_schooling():
    for locale in LOCALES:
        jobs = occupations(locale).to_pylist()
        assert len(jobs) == len(set(jobs)) > 500


def test_coded_lists_are_translated_entry_by_entry():
    english, chinese = (vocabulary(locale) for locale in LOCALES)
    for name in ("districts", "sexes", "education", "not_in_work"):
        assert len(getattr(english, name)) == len(getattr(chinese, name)), name
        assert not any(word.isascii() for word in getattr(chinese, name)), name
