"""What Datapolis looks like: python benchmarks/realism.py FOLDER [SCALE]

Draws the main marginals and joint distributions, the epidemic and the supply chain into PNG files in FOLDER.
tests/datasets/test_facts.py asserts what the pictures show.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import datapolis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.progress import track
from sharewell.plots import use_style

SEED = 8
EPIDEMIC_BEGAN = pd.Timestamp("2025-01-06")
Load = Callable[[str], pd.DataFrame]


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, scale = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) == 3 else 1.0
    folder.mkdir(parents=True, exist_ok=True)
    plt.switch_backend("agg")
    use_style()
    plt.rcParams["date.converter"] = "concise"
    loaded: dict[str, pd.DataFrame] = {}

    def load(name: str) -> pd.DataFrame:
        if name not in loaded:
            loaded[name] = datapolis.load(name, scale=scale, seed=SEED)
        return loaded[name]

    for draw in track((people, unique, epidemic, agencies, retail, services), "Drawing"):
        figure = draw(load)
        figure.suptitle(f"Datapolis at scale {scale:g}: {draw.__name__}", x=0.01, ha="left")
        figure.savefig(folder / f"{draw.__name__}.png")
        plt.close(figure)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def people(load: Load) -> Figure:
    residents, households, districts = (load(n) for n in ("residents", "households", "districts"))
    figure, axes = plt.subplots(2, 3, figsize=(15, 9))
    age = (pd.Timestamp("2026-01-01") - residents["birth_date"]).dt.days // 365.25
    bins = np.arange(0, 106, 5)
    for sex, sign in (("female", 1), ("male", -1)):
        counts = np.histogram(age[residents["sex"] == sex], bins)[0]
        axes[0, 0].barh(bins[:-1], sign * counts, 4.5, align="edge", label=sex)
    axes[0, 0].set(title="Age pyramid", xlabel="residents (men to the left)", ylabel="age, years")
    axes[0, 0].legend()

    working = residents[(residents["income"] > 0) & (age >= 25)]
    by_education = working.groupby("education", observed=True)["income"]
    order = by_education.median().sort_values().index
    axes[0, 1].boxplot(
        [np.log10(by_education.get_group(e)) for e in order], tick_labels=order, showfliers=False
    )
    axes[0, 1].set(title="Income by education, from 25 on", ylabel="log10 of income a year")

    axes[0, 2].bar(*_counts(households["size"]))
    axes[0, 2].set(title="Household size", xlabel="members", ylabel="households")

    middle = working.groupby("district")["income"].median()
    placed = districts.set_index("district").join(middle)
    spots = axes[1, 0].scatter(
        placed["east"],
        placed["north"],
        s=placed["residents"] / 10,
        c=placed["income"],
        cmap="cividis",
    )
    figure.colorbar(spots, ax=axes[1, 0], label="median income a year")
    axes[1, 0].set(
        title="Districts; size is residents", xlabel="degrees east", ylabel="degrees north"
    )

    decade = working["birth_date"].dt.year // 10 * 10
    shares = pd.crosstab(decade, working["education"], normalize="index")[order]
    shares.plot.area(ax=axes[1, 1], linewidth=0)
    axes[1, 1].set(title="Education by decade of birth", xlabel="born in", ylabel="share")

    joint = pd.crosstab(
        households["tenure"], pd.qcut(households["income"], 5, labels=False), normalize="columns"
    )
    joint.T.plot.bar(stacked=True, ax=axes[1, 2], rot=0)
    axes[1, 2].set(title="Tenure by fifth of household income", xlabel="fifth", ylabel="share")
    return figure


def unique(load: Load) -> Figure:
    residents = load("residents")
    known = residents.assign(
        year=residents["birth_date"].dt.year, month=residents["birth_date"].dt.to_period("M")
    )
    sets = (
        ["sex", "year"],
        ["sex", "year", "district"],
        ["sex", "month", "district"],
        ["sex", "birth_date"],
        ["sex", "year", "district", "occupation"],
        ["sex", "birth_date", "district"],
    )
    shares = [(known.groupby(s)["person_id"].transform("size") == 1).mean() for s in sets]
    figure, axes = plt.subplots(figsize=(10, 4.5))
    bars = axes.barh([", ".join(s) for s in sets], shares)
    axes.bar_label(bars, [f"{share:.1%}" for share in shares], padding=3)
    axes.set(xlim=(0, 1), xlabel="share of residents who are the only one")
    return figure


def epidemic(load: Load) -> Figure:
    cases, tests, doses = load("cases"), load("tests"), load("vaccinations")
    figure, axes = plt.subplots(2, 2, figsize=(14, 9))
    for column in ("onset_on", "result_on", "reported_on"):
        axes[0, 0].plot(
            cases[column].value_counts().sort_index().asfreq("D", fill_value=0).rolling(7).mean(),
            label=column,
        )
    axes[0, 0].set(title="Cases a day, mean of 7 days", ylabel="cases")
    axes[0, 0].legend()

    day = (cases["onset_on"].dropna() - EPIDEMIC_BEGAN).dt.days
    daily = day.value_counts().reindex(range(70), fill_value=0)
    growth, level = np.polyfit(daily.index[14:42], np.log(daily[14:42] + 0.5), 1)
    truth = datapolis.truth("cases", "parameters")["value"]
    found = (1 + growth * truth["latent period, days"]) * (
        1 + growth * truth["infectious period, days"]
    )
    axes[0, 1].semilogy(daily.index, daily + 0.5, "o", markersize=3)
    axes[0, 1].plot(daily.index[14:42], np.exp(level + growth * daily.index[14:42]))
    axes[0, 1].set(
        title=f"Early growth: R0 {found:.2f} (true {truth['R0']:g})",
        xlabel="day",
        ylabel="cases + 0.5",
    )

    by_district = cases.groupby(
        [cases["onset_on"].dt.to_period("W").dt.start_time, "district"]
    ).size()
    by_district.unstack(fill_value=0).plot(ax=axes[1, 0], legend=False, linewidth=0.8)
    axes[1, 0].set(title="Cases a week in every district", xlabel="", ylabel="cases")

    weekly = tests.groupby(tests["sampled_on"].dt.to_period("W").dt.start_time)["positive"]
    axes[1, 1].plot(weekly.mean(), label="share of tests that are positive")
    given = doses[doses["dose"] == 1]["given_on"].value_counts().sort_index().cumsum()
    axes[1, 1].plot(given / len(load("residents")), label="share of residents with a dose")
    axes[1, 1].set(title="Positivity and vaccination", ylabel="share")
    axes[1, 1].legend()
    return figure


def agencies(load: Load) -> Figure:
    cases = load("cases")
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.8))
    delay = (cases["reported_on"] - cases["result_on"]).dt.days
    axes[0].bar(*_counts(delay.clip(upper=14)))
    axes[0].set(title="Delay of reports", xlabel="days (14: and more)", ylabel="cases")

    week = cases["result_on"].dt.to_period("W").dt.start_time
    axes[1].plot(delay.groupby(week).mean())
    axes[1].set(title="Mean delay by week of result", ylabel="days")

    names = ("tests", "cases", "check_ins")
    held = [
        set(datapolis.truth(n, "identities", scale=_scale(load), seed=SEED)["person_id"])
        for n in names
    ]
    shares = [[len(a & b) / len(a) for b in held] for a in held]
    axes[2].imshow(shares, cmap="cividis", vmin=0, vmax=1)
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            axes[2].text(
                j, i, f"{share:.2f}", ha="center", color="white" if share < 0.6 else "black"
            )
    axes[2].set_xticks(range(3), names)
    axes[2].set_yticks(range(3), names)
    axes[2].set(title="Share of the row's people in the column")
    return figure


def retail(load: Load) -> Figure:
    inventory, sales = load("inventory"), load("sales")
    sold = (
        inventory[inventory["level"] == "store"]
        .groupby(["product_id", "week"])["sold"]
        .sum()
        .unstack()
    )
    orders = inventory.groupby(["level", "product_id", "week"])["ordered"].sum().unstack()
    figure, axes = plt.subplots(2, 2, figsize=(14, 9))
    product = sold.sum(axis=1).idxmax()
    axes[0, 0].plot(sold.loc[product], label="sold to customers")
    for level in ("store", "warehouse", "factory"):
        axes[0, 0].plot(orders.loc[(level, product)], label=f"ordered by {level}", linewidth=1)
    axes[0, 0].set(title=f"One product, {product}", ylabel="units a week")
    axes[0, 0].legend()

    spread = (orders.iloc[:, 8:].std(axis=1) / orders.iloc[:, 8:].mean(axis=1)).unstack(0)
    spread["customers"] = sold.iloc[:, 8:].std(axis=1) / sold.iloc[:, 8:].mean(axis=1)
    levels = ["customers", "store", "warehouse", "factory"]
    axes[0, 1].boxplot([spread[level].dropna() for level in levels], tick_labels=levels)
    axes[0, 1].set(title="Demand amplification, all products", ylabel="coefficient of variation")

    groups = load("products").set_index("product_id")["group"]
    month = sales["sold_at"].dt.to_period("M").dt.start_time
    monthly = sales.groupby([sales["product_id"].map(groups), month])["quantity"].sum().unstack(0)
    (monthly / monthly.mean()).iloc[:-1].plot(ax=axes[1, 0])
    axes[1, 0].legend(fontsize="small", ncols=2)
    axes[1, 0].set(title="Season", xlabel="", ylabel="sales, of the mean")

    busy = pd.crosstab(sales["sold_at"].dt.day_of_week, sales["sold_at"].dt.hour)
    shown = axes[1, 1].imshow(busy, cmap="cividis", aspect="auto")
    axes[1, 1].set_xticks(range(busy.shape[1]), busy.columns)
    axes[1, 1].set_yticks(range(7), ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
    axes[1, 1].set(title="When people buy", xlabel="hour")
    figure.colorbar(shown, ax=axes[1, 1], label="lines of receipts")
    return figure


def services(load: Load) -> Figure:
    meters, taps, air, firms = (
        load(n) for n in ("smart_meters", "transit_taps", "air_quality", "business_register")
    )
    figure, axes = plt.subplots(2, 2, figsize=(14, 9))
    days = meters["read_at"].dt.day_of_week >= 5
    for weekend, group in meters.groupby(days):
        label = "Saturday, Sunday" if weekend else "Monday to Friday"
        axes[0, 0].plot(group.groupby(group["read_at"].dt.hour)["kwh"].mean(), label=label)
    axes[0, 0].set(title="Electricity", xlabel="hour", ylabel="kWh an hour and household")
    axes[0, 0].legend()

    axes[0, 1].bar(*_counts(taps["tapped_at"].dt.hour))
    axes[0, 1].set(title="Transit taps", xlabel="hour", ylabel="taps")

    for site, group in air.groupby(air["station"].str[3:]):
        axes[1, 0].plot(
            group.groupby(group["measured_at"].dt.day_of_year)["no2"].mean().rolling(7).mean(),
            label=site,
        )
    axes[1, 0].set(
        title="Nitrogen dioxide by site, mean of 7 days", xlabel="day of the year", ylabel="µg/m³"
    )
    axes[1, 0].legend()

    size = firms["employees"].sort_values(ascending=False).to_numpy()
    axes[1, 1].loglog(np.arange(1, len(size) + 1), size, linestyle="", marker=".", markersize=3)
    axes[1, 1].set(title="Firms", xlabel="rank", ylabel="employees")
    return figure


def _counts(values: pd.Series) -> tuple[pd.Index, np.ndarray]:
    counted = values.value_counts().sort_index()
    return counted.index, counted.to_numpy()


def _scale(load: Load) -> float:
    return len(load("residents")) / 100_000


if __name__ == "__main__":
    main()
