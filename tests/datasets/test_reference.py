import datapolis
import pytest


@pytest.mark.parametrize("name", datapolis.codelists())
def test_code_lists_hold_every_value_in_use(name):
    listed = datapolis.codelist(name)
    assert listed
    column = name.replace(" ", "_")
    residents = datapolis.load("residents", rows=20_000, seed=1)
    if column in residents:
        assert set(residents[column]) <= listed


def test_an_unknown_code_list_names_the_known_ones():
    with pytest.raises(datapolis.DatapolisError, match="district, sex"):
        datapolis.codelist("star sign")


def test_every_job_asks_for_one_schooling():
    jobs = [job for titles in datapolis.reference.occupations().values() for job in titles]
    assert len(jobs) == len(set(jobs)) > 500
