"""Questions that travel to the data: what an answer tells, what it costs, and what nobody gets to know."""

import contextlib
import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharewell import SharewellError
from sharewell.exchange import Exchange, File, Refused
from sharewell.exchange.holdings import Holdings
from sharewell.exchange.queries import Query, ask, in_words, told

PEOPLE = {"Ana": ["owner"], "Sten": ["steward"], "Kim": ["committee"], "Mara": ["consumer"], "Noor": ["consumer"]}  # fmt: skip
ROWS = 6_000
TABLE = pl.DataFrame(
    {
        "ward": ["a", "b", "c"] * (ROWS // 3),
        "age": [n % 100 for n in range(ROWS)],
        "cost": [float(n % 7) for n in range(ROWS - 1)] + [math.nan],
        "when": [date(2026, 1, 1 + n % 28) for n in range(ROWS)],
        "who": [n // 2 for n in range(ROWS)],
        "empty": pl.Series([None] * ROWS, dtype=pl.Int64),
    }
)
FIELDS = ["ward", "age", "cost", "when", "empty"]
LAST = date(2026, 12, 31)


class Case:
    """An exchange with data, and a grant for answers about them."""

    def __init__(self, folder, table=TABLE, person="", epsilon=1e6, minimum=10):
        self.exchange = Exchange(PEOPLE, date(2026, 3, 2), File(folder / "exchange.db"))
        self.holdings = Holdings.of(folder / "exchange.db")
        self.exchange.catalogue("Sten", "beds", FIELDS, owner="Ana")
        table.write_parquet(folder / "beds.parquet")
        self.holdings.deposit(self.exchange, "Sten", "beds", folder / "beds.parquet", person)
        self.exchange.classify("Sten", "beds", "restricted", epsilon=epsilon, minimum=minimum)
        self.exchange.confirm("Kim", "beds")
        self.granted("Mara", FIELDS, epsilon)

    def granted(self, who, fields, epsilon):
        grant = self.exchange.request(who, "beds", "planning", fields, LAST, epsilon)
        self.exchange.approve("Ana", grant)
        self.exchange.release("Sten", grant)
        return grant

    def ask(self, query, epsilon=1_000.0, who="Mara", grant="G1", purpose="planning"):
        return ask(self.exchange, self.holdings, who, grant, purpose, query, epsilon)

    def spent(self):
        return self.exchange.grants["G1"].spent, self.exchange.resources["beds"].spent


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


RIGHT = {
    "all rows": (Query("count"), [ROWS]),
    "rows of a kind": (Query("count", where=[("age", ">=", 65)]), [ROWS * 0.35]),
    "two conditions": (Query("count", where=[("age", "<", 50), ("ward", "!=", "a")]), [2_000]),
    "by a field": (Query("count", by={"ward": ["c", "a"]}), [2_000, 2_000]),
    "by numbers": (Query("count", by={"age": [0, 99, 100]}), [60, 60, None]),
    "by days, as text": (Query("count", by={"when": ["2026-01-01"]}), [215]),
    "text for a number": (Query("count", where=[("age", "<", "10")]), [600]),
    "a mean": (Query("mean", "age", (0, 100)), [49.5]),
    "a sum": (Query("sum", "age", (0, 100)), [49.5 * ROWS]),
    "a sum by ward": (Query("sum", "age", (0, 99), by={"ward": ["a"]}), [99_000]),
    "a mean of clipped values": (Query("mean", "age", (0, 10)), [9.45]),
    "bounds beside the data": (Query("mean", "age", (200, 300)), [200]),
    "without those that have no value": (Query("sum", "cost", (0, 6)), [17_997]),
    "of nobody": (Query("count", where=[("ward", "=", "z")]), [None]),
    "of values that there are not": (Query("mean", "age", (0, 9), where=[("empty", "=", 1)]), [None]),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_with_hardly_any_noise_the_answer_is_right(case, name):
    query, expected = RIGHT[name]
    answer = case.ask(query)
    assert [value is None for value in answer.values] == [value is None for value in expected]
    for value, right, within in zip(answer.values, expected, answer.within, strict=True):
        if right is not None:
            assert value == pytest.approx(right, abs=max(3 * within, 1e-3))


AGES = {"age": list(range(100))}  # 60 rows each: 100 noises an answer
DAYS = {
    "when": [date(2026, 1, 1 + n) for n in range(28)]
}  # 214 or 215 rows each: none is withheld for its noise
A_DAY = TABLE.group_by("when").len().sort("when")["len"].to_numpy()


def test_the_noise_is_that_of_the_epsilon(case):
    """The mean distance from the truth of 5,000 Laplace draws lies within 8 % of the scale but for 1 in 10,000,000 runs."""
    query = Query("count", by=DAYS)
    noise = (np.array([case.ask(query, 0.2).values for _ in range(180)]) - A_DAY).ravel()
    assert np.mean(np.abs(noise)) == pytest.approx(5, rel=0.08)
    assert np.mean(noise) == pytest.approx(0, abs=0.55)
    kurtosis = np.mean(np.power(noise, 4)) / np.mean(np.square(noise)) ** 2
    assert kurtosis > 4  # Laplace has 6, the normal distribution 3


def test_who_has_several_rows_is_hidden_with_all_of_them(tmp_path):
    case = Case(tmp_path, person="who")
    assert case.exchange.resources["beds"].rows_per_person == 2
    query = Query("count", by=DAYS)
    noise = (np.array([case.ask(query, 0.4).values for _ in range(75)]) - A_DAY).ravel()
    assert np.mean(np.abs(noise)) == pytest.approx(5, rel=0.15)


def test_a_sum_is_as_noisy_as_one_person_may_matter(case):
    query = Query("sum", "age", (0.0, 100.0), by={"ward": ["a", "b", "c"]})
    truth = TABLE.group_by("ward").agg(pl.col("age").sum()).sort("ward")["age"].to_numpy()
    noise = np.array([case.ask(query, 1.0).values for _ in range(200)]) - truth
    # half of the epsilon for the distance from the middle, half for the count, which counts 50 times: each of scale 100
    assert np.mean(np.abs(noise)) == pytest.approx(150, rel=0.25)


def test_95_in_100_answers_are_as_near_as_they_say(case):
    means = TABLE.group_by("age").len().sort("age")["age"].to_numpy()
    for query, truth, epsilon in (
        (Query("count", by=AGES), 60.0, 0.5),
        (Query("mean", "age", (0, 100), by=AGES), means, 5.0),
    ):
        answers = [case.ask(query, epsilon) for _ in range(10)]
        away = np.abs(np.array([a.values for a in answers], dtype=float) - truth)
        assert np.mean(away <= np.array([a.within for a in answers], dtype=float)) >= 0.9


def test_too_few_people_are_withheld(tmp_path):
    case = Case(tmp_path, minimum=30)
    by = {"age": list(range(10))}
    few = Query("count", where=[("ward", "=", "a")], by=by)  # 20 rows each
    assert case.ask(few).values == [None] * 10
    assert case.ask(Query("count", by=by)).values == pytest.approx([60] * 10, abs=2)
    nobody = Query("mean", "age", (0, 100), where=[("ward", "=", "z")])
    shown = sum(case.ask(nobody, 0.05).values[0] is not None for _ in range(60))
    assert 0 < shown < 40  # the noise decides, so that it does not tell that nobody is there


def test_an_answer_is_charged_to_the_grant_and_to_the_resource(tmp_path):
    case = Case(tmp_path, epsilon=1.0)
    answer = case.ask(Query("count"), 0.4)
    assert (answer.epsilon, answer.left) == (0.4, pytest.approx(0.6))
    with pytest.raises(Refused, match="more than was granted"):
        case.ask(Query("count"), 0.61)
    assert case.spent() == (0.4, 0.4)
    with pytest.raises(Refused, match="may not tell so much"):
        case.granted("Noor", ["age"], 0.7)
    grant = case.granted("Noor", ["age"], 0.6)
    case.ask(Query("count"), 0.3, who="Noor", grant=grant)
    with pytest.raises(Refused, match="with those of all grants"):
        case.ask(Query("count"), 0.4)
    case.ask(Query("count"), 0.3)
    assert case.exchange.resources["beds"].spent == pytest.approx(1.0)
    record = list(case.exchange.log)[-1]
    assert record["details"]["epsilon"] == 0.3
    assert "6000" not in str(record)  # the log does not tell answers


def test_the_same_question_again_costs_again(tmp_path):
    case = Case(tmp_path, epsilon=1.0)
    for _ in range(10):
        case.ask(Query("count"), 0.1)
    with pytest.raises(Refused):
        case.ask(Query("count"), 0.1)


REFUSED = {
    "by somebody else": ({"who": "Noor"}, "somebody else"),
    "for another purpose": ({"purpose": "advertising"}, "another purpose"),
    "of a grant that there is not": ({"grant": "G9"}, "unknown"),
    "of a field that was not granted": ({"query": Query("count", where=[("who", "=", 1)])}, "not released"),
    "of a field that is SQL": ({"query": Query("count", where=[('age" = 1 OR "age', "=", 1)])}, "not released"),
    "by a field that is SQL": ({"query": Query("count", by={"age); DROP TABLE rows; --": [1]})}, "not released"),
    "without an epsilon": ({"epsilon": 0.0}, "a millionth or more"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_not_granted_is_refused_written_down_and_not_charged(case, name):
    how, said = REFUSED[name]
    before = len(case.exchange.log)
    with pytest.raises(Refused, match=said):
        case.ask(**{"query": Query("count"), **how})
    assert len(case.exchange.log) == before + 1
    assert case.spent() == (0, 0)


def test_sql_in_a_value_is_a_value(case):
    nasty = "a' OR 'a' = 'a"
    assert case.ask(Query("count", where=[("ward", "=", nasty)])).values == [None]
    assert case.ask(Query("count", by={"ward": [nasty, "a"]})).values[0] is None


def test_what_the_data_cannot_answer_is_told_by_their_types_alone(case):
    for query, said in (
        (Query("mean", "ward", (0, 1)), "ward holds no numbers"),
        (Query("count", where=[("age", ">", "old")]), "age holds no values like 'old', but int64"),
        (Query("count", by={"when": ["yesterday"]}), "when holds no values like 'yesterday'"),
        (Query("count", by={"age": [1, "1"]}), "each named once"),
    ):
        with pytest.raises(SharewellError, match=said):
            case.ask(query)
    assert case.spent() == (0, 0)


def test_no_answers_without_data(case, tmp_path):
    for file in case.holdings.folder.iterdir():
        file.unlink()
    with pytest.raises(SharewellError, match="not as they were put there"):
        case.ask(Query("count"))
    assert case.spent() == (0, 0)


def test_an_epsilon_is_too_small_to_be_counted_or_is_kept_to(case):
    for epsilon in (1e-9, 1e-300):
        with pytest.raises(Refused, match="a millionth or more"):
            case.ask(Query("count"), epsilon)
    assert case.spent() == (0, 0)
    case.ask(Query("count"), 1e-6)
    assert case.spent() == (1e-6, 1e-6)


WRONG = (
    ({"statistic": "median"}, "one of: count, sum, mean"),
    ({"statistic": "count", "of": "age"}, "a count of none"),
    ({"statistic": "sum"}, "is of a field"),
    ({"statistic": "sum", "of": "age"}, "needs bounds"),
    ({"statistic": "sum", "of": "age", "between": "9, 1"}, "needs bounds"),
    ({"statistic": "sum", "of": "age", "between": "0, inf"}, "needs bounds"),
    ({"statistic": "sum", "of": "age", "between": "0"}, "are no bounds"),
    ({"statistic": "sum", "of": "age", "between": "low, high"}, "are no bounds"),
    ({"statistic": "count", "where": ["age"]}, "is no condition"),
    ({"statistic": "count", "where": ["= 3"]}, "is no condition"),
    ({"statistic": "count", "by": "ward"}, "names no values"),
    ({"statistic": "count", "by": "ward ="}, "names no values"),
    ({"statistic": "count", "by": "ward = a, a"}, "each named once"),
)


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_words_that_are_no_question_are_told_so(words, said):
    with pytest.raises(SharewellError, match=said):
        in_words(**words)


def test_a_question_in_words(case):
    query = in_words("mean", "age", "0,100", ["age>=65", " ward != b "], "ward = a , c")
    assert query.where == [("age", ">=", "65"), ("ward", "!=", "b")]
    said = told(query, case.ask(query))
    assert said[0].startswith("mean of age where ward is a: 8")
    assert said[-1].startswith("This cost an epsilon of 1000")


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_words_are_a_question_or_told_to_be_none(text):
    for words in (
        {"where": [text]},
        {"by": text},
        {"statistic": "sum", "of": "a", "between": text},
    ):
        with contextlib.suppress(SharewellError):
            in_words(**{"statistic": "count", **words})
