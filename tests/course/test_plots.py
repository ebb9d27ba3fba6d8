"""The figures of sharewell.plots say what they are of."""

from datetime import date

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sharewell import plots
from sharewell.exchange import Exchange, Refused

mpl.use("agg")


@pytest.fixture(autouse=True)
def closed():
    import matplotlib.pyplot as plt

    plots.use_style()
    yield
    plt.close("all")


def bars(axes):
    """The heights of the bars, by what stands below them."""
    words = [tick.get_text() for tick in axes.get_xticklabels()]
    return dict(zip(words, (bar.get_height() for bar in axes.patches), strict=True))


def test_rows_are_counted_by_the_size_of_their_class():
    table = pl.DataFrame({"x": [1] + [2] * 2 + [3] * 4 + [4] * 13})
    axes = plots.class_sizes(table, ["x"], 5)
    found = bars(axes)
    assert sum(found.values()) == pytest.approx(100)
    assert [found[w] for w in ("1", "2", "3–4", "5–9", "10–19")] == [5, 10, 20, 0, 65]
    hatched = [bool(bar.get_hatch()) for bar in axes.patches]
    assert hatched[:4] == [True, True, True, False]
    assert axes.get_legend().get_texts()[0].get_text() == "fewer than k = 5"
    assert sum(bars(plots.class_sizes(pl.DataFrame({"x": [1] * 500}), ["x"])).values()) == 100


def test_numbers_before_and_after_share_their_bins():
    before = np.random.default_rng(1).normal(50, 10, 2_000)
    axes = plots.before_and_after(before, [*before.round(-1), np.nan, 200.0], "age [years]")
    steps = {patch.get_label(): patch.get_data() for patch in axes.patches}
    assert set(steps) == {"before", "after"}
    assert np.array_equal(steps["before"].edges, steps["after"].edges)
    for step in steps.values():
        assert step.values.sum() == pytest.approx(100)
    assert axes.get_xlabel() == "age [years]"


def test_texts_before_and_after_are_compared_by_name():
    axes = plots.before_and_after(["a", "a", "b", None], ["a", "b", "c", "c"], "town")
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    before, after = (dict(zip(names, (b.get_width() for b in c), strict=True)) for c in axes.containers)  # fmt: skip
    assert before == {"a": pytest.approx(200 / 3), "b": pytest.approx(100 / 3), "c": 0}
    assert after == {"a": 25, "b": 25, "c": 50}


def test_the_frontier_is_of_those_that_none_is_better_than():
    axes = plots.frontier({"raw": (1, 0), "k": (0.2, 0.1), "worse": (0.3, 0.2), "none": (0, 1)})
    (line,) = axes.lines
    assert sorted(zip(*line.get_data(), strict=True)) == [(0, 1), (0.2, 0.1), (1, 0)]
    assert {text.get_text() for text in axes.texts} == {"raw", "k", "worse", "none"}


def test_each_decision_has_a_tile_in_the_style_of_its_label():
    labels = pd.DataFrame(
        {"gov": ["public", "restricted"], "society": ["public", "non-sharing"]}, ["E01", "E02"]
    )
    axes = plots.decisions(labels)
    assert len(axes.patches) == 4
    assert [t.get_text() for t in axes.texts] == ["public", "public", "restricted", "non-sharing"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["E01", "E02"]
    assert axes.patches[3].get_hatch() == plots.LABEL_STYLE["non-sharing"]["hatch"]
    with pytest.raises(KeyError):
        plots.decisions(pd.DataFrame({"gov": ["secret"]}))


def test_the_loop_shows_each_subject_and_each_refusal():
    people = {"Ana": ["owner"], "Sten": ["steward"], "Kim": ["committee"], "Mara": ["consumer"]}
    exchange = Exchange(people, date(2026, 3, 2))
    exchange.catalogue("Sten", "beds", ["ward"], "Ana")
    exchange.classify("Sten", "beds", "restricted")
    exchange.confirm("Kim", "beds")
    grant = exchange.request("Mara", "beds", "planning", ["ward"], date(2026, 12, 31))
    exchange.clock(date(2026, 3, 9))
    with pytest.raises(Refused):
        exchange.approve("Sten", grant)
    with pytest.raises(Refused):
        exchange.request("Mara", "wards", "planning", ["ward"], date(2026, 12, 31))
    exchange.approve("Ana", grant)
    axes = plots.loop(exchange.log)
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines) == {"beds", "G1"}
    states = [tick.get_text() for tick in axes.get_yticklabels()]
    last = lines["G1"].get_ydata()[-1]
    assert states[round(last)] == "approved"
    crosses = [len(c.get_offsets()) for c in axes.collections]
    assert sum(crosses) == 1  # what was never there has no state to be drawn at
    assert len(plots.loop(exchange.log.about("beds")).lines) == 1


def test_flows_are_as_thick_as_they_are_large_and_sinks_as_dark_as_they_are_served():
    plan = np.array([[10.0, 0.0], [5.0, 20.0]])
    sources, sinks = np.array([[0.0, 0.0], [9.0, 0.0]]), np.array([[0.0, 5.0], [9.0, 5.0]])
    axes = plots.flows(plan, sources, sinks, demand=np.array([15.0, 40.0]))
    ways = {tuple(map(tuple, line.get_xydata().tolist())): line.get_linewidth() for line in axes.lines}  # fmt: skip
    assert set(ways) == {((0, 0), (0, 5)), ((9, 0), (0, 5)), ((9, 0), (9, 5))}
    assert ways[(9, 0), (9, 5)] == pytest.approx(2 * ways[(0, 0), (0, 5)])
    (drawn,) = [one for one in axes.collections if str(one.get_label()).startswith("sink")]
    assert drawn.get_array().tolist() == [1.0, 0.5]
    assert not plots.flows(np.zeros((2, 2)), sources, sinks, np.ones(2)).lines
