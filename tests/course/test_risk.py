"""Measures of disclosure risk: the papers' worked examples, and slow, obvious versions on random tables."""

import doctest
import math
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharewell import SharewellError, risk

# Sweeney 2002, figure 2: k = 2 over race, birth, gender and ZIP
SWEENEY = pl.DataFrame(
    [
        ("Black", 1965, "m", "0214*", "short breath"),
        ("Black", 1965, "m", "0214*", "chest pain"),
        ("Black", 1965, "f", "0213*", "hypertension"),
        ("Black", 1965, "f", "0213*", "hypertension"),
        ("Black", 1964, "f", "0213*", "obesity"),
        ("Black", 1964, "f", "0213*", "chest pain"),
        ("White", 1964, "m", "0213*", "chest pain"),
        ("White", 1964, "m", "0213*", "obesity"),
        ("White", 1964, "m", "0213*", "short breath"),
        ("White", 1967, "m", "0213*", "chest pain"),
        ("White", 1967, "m", "0213*", "chest pain"),
    ],
    schema=["race", "birth", "gender", "zip", "problem"],
    orient="row",
)
# Machanavajjhala and others 2007, figures 2 and 3: the same patients, 4-anonymous, and 3-diverse
FOUR_ANONYMOUS = pl.DataFrame(
    {
        "zip": ["130**"] * 4 + ["1485*"] * 4 + ["130** "] * 4,
        "illness": ["heart", "heart", "viral", "viral"]
        + ["cancer", "heart", "viral", "viral"]
        + ["cancer"] * 4,
    }
)
THREE_DIVERSE = pl.DataFrame(
    {
        "zip": ["1305*"] * 4 + ["1485*"] * 4 + ["1306*"] * 4,
        "illness": [
            "heart",
            "viral",
            "cancer",
            "cancer",
            "cancer",
            "heart",
            "viral",
            "viral",
            "heart",
            "viral",
            "cancer",
            "cancer",
        ],
    }
)
# Li and others 2007, tables 3 and 5: salaries in thousands
SALARIES_APART = pl.DataFrame({"zip": list("aaabbbccc"), "salary": [3, 4, 5, 6, 11, 8, 7, 9, 10]})
SALARIES_CLOSE = pl.DataFrame({"zip": list("aaabbbccc"), "salary": [3, 5, 9, 6, 11, 8, 4, 7, 10]})


def test_sweeneys_example():
    assert risk.k_anonymity(SWEENEY, ["race", "birth", "gender", "zip"]) == 2
    assert risk.classes(SWEENEY, ["race", "birth", "gender", "zip"])["size"].to_list() == [
        2,
        2,
        2,
        2,
        3,
    ]
    assert risk.l_diversity(SWEENEY, ["race", "birth", "gender", "zip"], "problem") == 1


def test_machanavajjhalas_examples():
    assert risk.k_anonymity(FOUR_ANONYMOUS, ["zip"]) == 4
    assert risk.l_diversity(FOUR_ANONYMOUS, ["zip"], "illness") == 1
    assert risk.l_diversity(FOUR_ANONYMOUS, ["zip"], "illness", "entropy") == 1
    assert risk.l_diversity(THREE_DIVERSE, ["zip"], "illness") == 3
    entropy = math.exp(-(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25)))
    assert risk.l_diversity(THREE_DIVERSE, ["zip"], "illness", "entropy") == pytest.approx(entropy)
    # the most frequent illness, 2, occurs less than 3 times as often as the third, 1
    assert risk.l_diversity(THREE_DIVERSE, ["zip"], "illness", "recursive", c=3) == 3
    assert risk.l_diversity(THREE_DIVERSE, ["zip"], "illness", "recursive", c=2) == 2


def test_lis_examples():
    assert risk.t_closeness(SALARIES_APART, ["zip"], "salary", "ordered") == pytest.approx(0.375)
    assert risk.t_closeness(SALARIES_CLOSE, ["zip"], "salary", "ordered") == pytest.approx(1 / 6)


def test_skinner_and_elliots_estimate():
    singles_and_pairs = pl.DataFrame({"key": [1, 2, 3, 4, 4, 5, 5]})
    assert risk.match_probability(singles_and_pairs, ["key"], 0.1) == pytest.approx(
        0.3 / (0.3 + 3.6)
    )
    assert risk.match_probability(singles_and_pairs, ["key"], 1) == 1
    assert risk.match_probability(pl.DataFrame({"key": [1, 1]}), ["key"], 0.5) == 0


def test_the_examples_of_the_documentation():
    assert doctest.testmod(risk).failed == 0


# -- against slow, obvious versions -----------------------------------------------------------------

VALUES = st.one_of(st.none(), st.integers(0, 3))
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=40)


def frame(rows):
    return pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64, "s": pl.Int64}, orient="row")


def slow_classes(rows):
    found = defaultdict(list)
    for a, b, s in rows:
        found[a, b].append(s)
    return found


def slow_l(values, kind, c):
    counts = sorted(Counter(v for v in values if v is not None).values(), reverse=True)
    if kind == "distinct":
        return len(counts)
    if kind == "entropy":
        shares = [n / sum(counts) for n in counts]
        return math.exp(-sum(p * math.log(p) for p in shares))
    return max(
        [n for n in range(1, len(counts) + 1) if counts[0] < c * sum(counts[n - 1 :])], default=0
    )


def slow_emd(values, everything, ordered):
    domain = sorted(set(everything))
    p, q = Counter(values), Counter(everything)
    difference = [p[v] / len(values) - q[v] / len(everything) for v in domain]
    if not ordered:
        return sum(map(abs, difference)) / 2
    if len(domain) == 1:
        return 0
    return sum(abs(sum(difference[: n + 1])) for n in range(len(domain))) / (len(domain) - 1)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_k_and_uniqueness_are_those_of_counting(rows):
    sizes = {key: len(values) for key, values in slow_classes(rows).items()}
    assert risk.k_anonymity(frame(rows), ["a", "b"]) == min(sizes.values())
    ones = sum(size == 1 for size in sizes.values())
    assert risk.uniqueness(frame(rows), ["a", "b"]) == pytest.approx(ones / len(rows))
    assert risk.record_risk(frame(rows), ["a", "b"]).to_list() == pytest.approx(
        [1 / sizes[a, b] for a, b, _ in rows]
    )


@settings(max_examples=150, deadline=None)
@given(
    ROWS, st.sampled_from(["distinct", "entropy", "recursive"]), st.sampled_from([0.5, 1, 2, 3.5])
)
def test_l_is_that_of_counting(rows, kind, c):
    known = [v for v in slow_classes(rows).values() if any(s is not None for s in v)]
    if not known:
        with pytest.raises(SharewellError, match="null in every row"):
            risk.l_diversity(frame(rows), ["a", "b"], "s", kind, c)
        return
    expected = min(slow_l(values, kind, c) for values in known)
    assert risk.l_diversity(frame(rows), ["a", "b"], "s", kind, c) == pytest.approx(expected)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.booleans())
def test_t_is_that_of_counting(rows, ordered):
    by_class = [[s for s in v if s is not None] for v in slow_classes(rows).values()]
    everything = [s for values in by_class for s in values]
    if not everything:
        return
    expected = max(slow_emd(values, everything, ordered) for values in by_class if values)
    distance = "ordered" if ordered else "equal"
    assert risk.t_closeness(frame(rows), ["a", "b"], "s", distance) == pytest.approx(
        expected, abs=1e-12
    )


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(0, 39))
def test_presence_and_population_are_those_of_counting(rows, taken):
    release = rows[: max(1, taken)]
    people = {key: len(values) for key, values in slow_classes(rows).items()}
    inside = Counter((a, b) for a, b, _ in release)
    shares = [inside[key] / size for key, size in people.items()]
    found = risk.delta_presence(frame(release), frame(rows), ["a", "b"])
    assert found == pytest.approx((min(shares), max(shares)))
    single = sum(people[a, b] == 1 for a, b, _ in release)
    assert risk.uniqueness(frame(release), ["a", "b"], frame(rows)) == pytest.approx(
        single / len(release)
    )
    assert risk.record_risk(frame(release), ["a", "b"], frame(rows)).to_list() == pytest.approx(
        [1 / people[a, b] for a, b, _ in release]
    )


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_merging_classes_never_raises_the_risk(rows):
    """Fewer quasi-identifiers: k and l do not fall, uniqueness does not rise."""
    table = frame(rows)
    assert risk.k_anonymity(table, ["a"]) >= risk.k_anonymity(table, ["a", "b"])
    assert risk.uniqueness(table, ["a"]) <= risk.uniqueness(table, ["a", "b"])
    if table["s"].null_count() < len(rows):
        assert risk.l_diversity(table, ["a"], "s") >= risk.l_diversity(table, ["a", "b"], "s")
        assert risk.t_closeness(table, [], "s") == pytest.approx(0, abs=1e-12)


# -- edges ------------------------------------------------------------------------------------------


def everything(table):
    return (
        risk.k_anonymity(table, ["a", "b"]),
        risk.l_diversity(table, ["a", "b"], "s", "entropy"),
        risk.t_closeness(table, ["a", "b"], "s"),
        risk.t_closeness(table, ["b"], "n", "ordered"),
        *risk.record_risk(table, ["a"]),
    )


def test_every_kind_of_table_gives_the_same(tmp_path):
    rng = np.random.default_rng(5)
    table = pl.DataFrame(
        {
            "unused": ["x"] * 300,
            "a": rng.choice(["x", "y", None], 300).tolist(),
            "b": rng.integers(0, 4, 300),
            "s": rng.choice(["flu", "gout", "cold", None], 300).tolist(),
            "n": np.where(rng.random(300) < 0.1, np.nan, rng.normal(size=300).round(1)),
        }
    ).with_columns(pl.col("n").fill_nan(None))
    path = tmp_path / "table.parquet"
    table.write_parquet(path)
    pq.write_to_dataset(table.to_arrow(), tmp_path / "parts", partition_cols=["b"])
    expected = everything(table)
    for other in (
        table.lazy(), table.to_pandas(), table.to_arrow(), path, str(path),
        pd.DataFrame(table.to_dict(as_series=False)), pa.table(table.to_dict(as_series=False)),
    ):  # fmt: skip
        assert everything(other) == pytest.approx(expected)


def test_parquet_files_are_read_as_the_table_that_was_written(tmp_path):
    """Awkward names, values that are not numbers, and values that have an order of their own."""
    grades = pl.Enum(["low", "middle", "high"])
    table = pl.DataFrame(
        {
            "count": ["a", "a", "b", "b", "b", "c"],
            'a "name", quoted': [1.0, float("nan"), None, float("nan"), 2.0, 1.0],
            "grade": pl.Series(["low", "high", "low", "high", "high", None], dtype=grades),
        }
    )
    path = tmp_path / "it's" / "a folder"
    path.mkdir(parents=True)
    table[:4].write_parquet(path / "1.parquet")
    table[4:].write_parquet(path / "2.parquet")
    keys = ["count", 'a "name", quoted']
    for some in ([], keys[:1], keys):
        for source in (path, path / "*.parquet"):
            assert (
                risk.classes(source, some)
                .sort("size", *some)
                .equals(risk.classes(table, some).sort("size", *some))
            )
            for ask in (risk.l_diversity, risk.t_closeness):
                assert ask(source, some, "grade") == ask(table, some, "grade")
            assert risk.t_closeness(source, some, "grade", "ordered") == pytest.approx(
                risk.t_closeness(table, some, "grade", "ordered")
            )


def test_a_nan_is_a_null():
    pandas = pd.DataFrame({"a": [1.0, np.nan, np.nan], "s": [np.nan, 1.0, 2.0]})
    polars = pl.DataFrame({"a": [1.0, float("nan"), None], "s": [None, 1.0, 2.0]})
    for table in (pandas, polars):
        assert risk.classes(table, ["a"])["size"].to_list() == [1, 2]
        assert risk.l_diversity(table, ["a"], "s") == 2


def test_without_quasi_identifiers_the_table_is_one_class():
    assert risk.k_anonymity(SWEENEY, []) == 11
    assert risk.l_diversity(SWEENEY, [], "problem") == 4
    assert risk.t_closeness(SALARIES_APART, [], "salary", "ordered") == pytest.approx(0, abs=1e-12)
    assert risk.classes(SWEENEY, []).to_dict(as_series=False) == {"size": [11]}


def test_columns_may_have_any_name():
    table = SWEENEY.rename({"race": "size", "birth": "count", "gender": "value", "zip": "key 0"})
    assert risk.k_anonymity(table, ["key 0", "size", "count", "value"]) == 2
    assert risk.l_diversity(table, ["count"], "size") == 1
    assert risk.classes(table.drop("size"), ["count", "value"]).columns == [
        "count",
        "value",
        "size",
    ]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: risk.k_anonymity(SWEENEY, ["colour"]), "no column 'colour'; there are: race"),
        (lambda: risk.k_anonymity(SWEENEY.to_pandas(), ["colour"]), "no column 'colour'"),
        (lambda: risk.k_anonymity(SWEENEY.to_arrow(), ["colour"]), "no column 'colour'"),
        (lambda: risk.k_anonymity(SWEENEY.head(0), ["race"]), "no rows"),
        (lambda: risk.record_risk(SWEENEY.head(0), ["race"]), "no rows"),
        (lambda: risk.k_anonymity(SWEENEY, "race"), "are a list"),
        (lambda: risk.k_anonymity([1, 2], ["race"]), "not list"),
        (lambda: risk.l_diversity(SWEENEY, ["race"], "problem", "simpson"), "not 'simpson'"),
        (lambda: risk.l_diversity(SWEENEY, ["race"], "problem", "recursive", 0), "greater than 0"),
        (lambda: risk.t_closeness(SWEENEY, ["race"], "problem", "ordered"), "have no order"),
        (lambda: risk.t_closeness(SWEENEY, ["race"], "problem", "far"), "equal or ordered"),
        (lambda: risk.match_probability(SWEENEY, ["race"], 0), "at most 1"),
        (
            lambda: risk.delta_presence(SWEENEY, SWEENEY.head(3), ["race"]),
            "more people in some class",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(call, said):
    with pytest.raises(SharewellError, match=said):
        call()


def test_a_table_larger_than_the_memory_allowed_is_measured(tmp_path):
    """Ten million rows in parts, read by a process that may not hold them."""
    import subprocess
    import sys

    rng = np.random.default_rng(1)
    for part in range(20):
        rows = 500_000
        pl.DataFrame(
            {
                "a": rng.integers(0, 200, rows),
                "b": rng.integers(0, 100, rows),
                "s": rng.integers(0, 9, rows),
                "long": rng.random(rows),
                "wide": rng.random(rows),
            }
        ).write_parquet(tmp_path / f"{part:02}.parquet")
    code = (
        "import resource, sys\nfrom sharewell import risk\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "path = sys.argv[1] + '/*.parquet'\n"
        "assert risk.k_anonymity(path, ['a', 'b']) > 350\n"
        "assert risk.l_diversity(path, ['a', 'b'], 's') == 9\n"
        "assert 0 < risk.t_closeness(path, ['a', 'b'], 's', 'ordered') < 0.2\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 240  # the three columns alone are 240 MB, the table 400
