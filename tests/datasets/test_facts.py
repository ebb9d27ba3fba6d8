"""What the tables must show. benchmarks/realism.py draws the same facts."""

import datapolis
import numpy as np
import pandas as pd
import pytest
from datapolis import retail
from datapolis.country import Country


@pytest.fixture(scope="module")
def country():
    """Tables of one country at scale 1, loaded when they are first asked for."""
    loaded = {}

    def load(name):
        if name not in loaded:
            loaded[name] = datapolis.load(name, scale=1, seed=8)
        return loaded[name]

    return load


def unique_share(table, columns):
    return (table.groupby(columns)[table.columns[0]].transform("size") == 1).mean()


def test_women_and_men_and_the_ages_of_man(country):
    residents = country("residents")
    assert (residents["sex"] == "female").mean() == pytest.approx(0.505, abs=0.01)
    age = (pd.Timestamp("2026-01-01") - residents["birth_date"]).dt.days / 365.25
    shares = np.histogram(age, [0, 15, 30, 45, 60, 75, 106])[0] / len(age)
    assert shares == pytest.approx([0.24, 0.15, 0.24, 0.19, 0.09, 0.09], abs=0.02)
    assert age.max() > 90


def test_most_people_are_unique_by_sex_birth_date_and_district(country):
    """Sweeney 2000: 87 % of Americans by sex, birth date and ZIP code."""
    residents = country("residents")
    assert 0.8 < unique_share(residents, ["sex", "birth_date", "district"]) < 0.9
    assert 0.15 < unique_share(residents, ["sex", "birth_date"]) < 0.3
    coarse = residents.assign(year=residents["birth_date"].dt.year)
    assert unique_share(coarse, ["sex", "year", "district"]) < 0.01
    assert 0.05 < unique_share(coarse, ["sex", "year", "district", "occupation"]) < 0.6


def test_households_are_what_their_members_make_them(country):
    residents, households = country("residents"), country("households").set_index("household_id")
    assert (residents.groupby("household_id").size() == households["size"]).all()
    born_after = residents["birth_date"] > pd.Timestamp("2008-01-01")
    assert (
        born_after.groupby(residents["household_id"]).sum() == households["children"]
    ).mean() > 0.99
    owners = households.groupby("tenure")["income"].median()
    assert owners["owned"] > owners["rented"] > owners["social housing"]


def test_the_reproduction_number_comes_back_from_the_cases(country):
    """Wallinga and Lipsitch 2007: of the growth rate r, R = (1 + r / sigma)(1 + r / gamma) in an SEIR model."""
    truth = datapolis.truth("cases", "parameters")["value"]
    day = (country("cases")["onset_on"].dropna() - pd.Timestamp("2025-01-06")).dt.days
    daily = day.value_counts().reindex(range(14, 42), fill_value=0)
    growth = np.polyfit(daily.index, np.log(daily + 0.5), 1, w=np.sqrt(daily + 0.5))[0]
    found = (1 + growth * truth["latent period, days"]) * (
        1 + growth * truth["infectious period, days"]
    )
    assert found == pytest.approx(truth["R0"], rel=0.12)


def test_the_lockdown_turns_the_wave_and_its_end_brings_it_back(country):
    weeks = (country("cases")["onset_on"].dropna() - pd.Timestamp("2025-01-06")).dt.days // 7
    daily = weeks.value_counts().sort_index()
    assert daily.loc[5:8].max() > 3 * daily.loc[16]
    assert daily.loc[20:].max() > 3 * daily.loc[16]


def test_reports_are_late_and_later_at_the_peak(country):
    cases = country("cases")
    delay = (cases["reported_on"] - cases["result_on"]).dt.days
    assert delay.min() >= 0
    by_week = delay.groupby(cases["result_on"].dt.isocalendar().week).median()
    assert by_week.loc[24:26].mean() > by_week.loc[3:4].mean()
    assert not cases["reported_on"].dt.day_of_week.isin([5, 6]).any()


def test_three_agencies_hold_the_same_people_under_different_keys(country):
    names = ("tests", "cases", "check_ins")
    columns = [set(country(name).columns) for name in names]
    keys = {"id_number", "given_name", "phone"}
    assert [held & keys for held in columns] == [{"id_number"}, {"given_name"}, {"phone"}]
    people = [
        set(datapolis.truth(name, "identities", scale=1, seed=8)["person_id"]) for name in names
    ]
    assert people[1] <= people[0]  # a case was tested
    assert 0.5 < len(people[1] & people[2]) / len(people[1]) < 1


def test_vaccination_protects(country):
    doses, cases = country("vaccinations"), country("cases")
    cases["person"] = datapolis.truth("cases", "identities", scale=1, seed=8)["person_id"]
    residents = country("residents").set_index("person_id")
    earlier = cases.loc[cases["result_on"] < pd.Timestamp("2025-06-05"), "person"]
    adults = residents[residents["birth_date"] < pd.Timestamp("2005-01-01")].drop(
        earlier, errors="ignore"
    )
    early = doses[(doses["dose"] == 1) & (doses["given_on"] < pd.Timestamp("2025-05-12"))]
    ill = adults.index.isin(cases.loc[cases["result_on"] >= pd.Timestamp("2025-06-05"), "person"])
    given = adults["id_number"].isin(early["id_number"])
    never = ~adults["id_number"].isin(doses["id_number"])
    efficacy = 1 - ill[given].mean() / ill[never].mean()
    truth = datapolis.truth("vaccinations", "parameters").loc[
        "vaccination: share of people protected after 14 days", "value"
    ]
    assert efficacy == pytest.approx(truth, abs=0.1)


def test_orders_swell_on_their_way_up(country):
    """Lee and others 1997: variance of orders over that of demand, level by level."""
    inventory = country("inventory")
    weekly = (
        inventory.groupby(["level", "product_id", "week"])["ordered"].sum().unstack().iloc[:, 8:]
    )
    sold = (
        inventory[inventory["level"] == "store"]
        .groupby(["product_id", "week"])["sold"]
        .sum()
        .unstack()
    )
    customers = (sold.iloc[:, 8:].std(axis=1) / sold.iloc[:, 8:].mean(axis=1)).mean()
    spread = (weekly.std(axis=1) / weekly.mean(axis=1)).groupby("level").mean()
    assert customers < spread["store"] < spread["warehouse"] < spread["factory"]
    assert spread["factory"] > 2 * customers


def test_shelves_run_empty_and_that_hides_demand(country):
    inventory = country("inventory")
    wanted = datapolis.truth("inventory", "identities", scale=1, seed=8)["demand"]
    stores = inventory["level"] == "store"
    short = (wanted > inventory["sold"])[stores]
    assert 0.005 < short.mean() < 0.05
    assert (inventory.loc[stores, "stock"][short] == 0).all()
    assert (wanted >= inventory["sold"]).all()


def test_goods_do_not_appear_or_vanish(country):
    """Stock at the end = stock before + received - sold, at every place, for every product."""
    inventory = country("inventory").sort_values(["place", "product_id", "week"])
    by_item = inventory.groupby(["place", "product_id"])
    before = by_item["stock"].shift()
    moved = before + inventory["received"] - inventory["sold"]
    known = before.notna()
    assert (moved[known] == inventory["stock"][known]).all()
    arrived = country("shipments").groupby(["to_place", "product_id", "arrived_on"])["units"].sum()
    received = inventory[inventory["level"] != "factory"].set_index(
        ["place", "product_id", "week"]
    )["received"]
    received = received[received > 0]
    assert len(arrived) == len(received) and (arrived.to_numpy() == received.to_numpy()).all()


def test_tills_rang_up_what_left_the_shelves(country):
    sales, inventory = country("sales"), country("inventory")
    monday = sales["sold_at"].dt.normalize() - pd.to_timedelta(
        sales["sold_at"].dt.day_of_week, unit="D"
    )
    rung = sales.groupby([sales["store_id"], sales["product_id"], monday])["quantity"].sum()
    stores = inventory[inventory["level"] == "store"].set_index(["place", "product_id", "week"])[
        "sold"
    ]
    stores = stores[stores > 0].sort_index()
    assert len(rung) == len(stores) and (rung.to_numpy() == stores.to_numpy()).all()


def test_a_receipt_is_one_customer_at_one_till(country):
    receipts = (
        country("sales").groupby("receipt")[["store_id", "till", "sold_at", "payment"]].nunique()
    )
    assert (receipts == 1).all().all()
    assert country("sales").groupby("receipt")["card"].nunique().max() == 1
    assert country("sales")["sold_at"].dt.hour.between(8, 21).all()


def test_promotions_sell_and_seasons_turn(country):
    inventory, truth = country("inventory"), datapolis.truth("inventory", "parameters")["value"]
    promoted = retail.promotions(Country(8, 1.0))
    stores = inventory[inventory["level"] == "store"]
    weekly = stores.groupby(["week", "product_id"])["sold"].sum().unstack().to_numpy()
    weekly = weekly / retail._season()
    uplift = weekly[promoted].mean() / weekly[~promoted].mean()
    assert uplift == pytest.approx(truth["promotion: demand, of the usual"], rel=0.2)
    drinks = country("sales").merge(datapolis.load("products"), on="product_id")
    drinks = (
        drinks[drinks["group"] == "drinks"].groupby(drinks["sold_at"].dt.month)["quantity"].sum()
    )
    assert drinks[7] > 1.5 * drinks[2]


def test_cards_lead_to_people(country):
    loyalty = country("loyalty")
    assert set(country("sales")["card"].dropna()) <= set(loyalty["card"])
    assert 0.05 < unique_share(loyalty, ["sex", "birth_month", "district"]) < 0.4


def test_meters_tell_who_is_away(country):
    meters = country("smart_meters")
    most = meters.groupby(["meter", meters["read_at"].dt.date])["kwh"].max().unstack()
    assert 0.15 < (most < 0.25).any(axis=1).mean() < 0.4
    hourly = meters.groupby(meters["read_at"].dt.hour)["kwh"].mean()
    assert hourly.idxmax() in (18, 19, 20) and hourly.idxmin() in range(5)


def test_two_places_and_two_hours_single_riders_out(country):
    """De Montjoye and others 2013: four points single out 95 % of people; here a home and a way to work do."""
    taps = country("transit_taps")
    entries = taps[taps["way"] == "in"].assign(hour=lambda t: t["tapped_at"].dt.hour)
    usual = entries.groupby("rider")[["station", "hour"]].agg(lambda column: column.mode().iloc[0])
    last = (
        entries.sort_values("tapped_at")
        .groupby("rider")
        .tail(2)
        .groupby("rider")["station"]
        .agg("|".join)
    )
    traces = usual.join(last.rename("last"))
    assert traces.value_counts().eq(1).sum() / len(traces) > 0.5
    numbers = datapolis.truth("transit_taps", "identities", scale=1, seed=8)["person_id"]
    assert numbers.groupby(taps["rider"]).nunique().max() == 1


def test_air_is_worse_at_roads_in_winter_and_at_rush_hour(country):
    air = country("air_quality")
    assert 0.005 < air["no2"].isna().mean() < 0.03
    site = air.groupby(air["station"].str[3:])["no2"].mean()
    month = air.groupby(air["measured_at"].dt.month)[["no2", "ozone"]].mean()
    hour = air.groupby(air["measured_at"].dt.hour)["no2"].mean()
    assert site["road"] > 1.3 * site["park"]
    assert (
        month.loc[1, "no2"] > month.loc[7, "no2"] and month.loc[1, "ozone"] < month.loc[7, "ozone"]
    )
    assert hour[8] > 1.2 * hour[3]


def test_firms_are_mostly_small_and_their_founders_are_found(country):
    firms = country("business_register")
    assert 0.25 < (firms["employees"] == 1).mean() < 0.5
    assert firms["employees"].max() > 50
    who = datapolis.truth("business_register", "identities", scale=1, seed=8)["person_id"]
    residents = country("residents").set_index("person_id").loc[who]
    assert (residents["given_name"] + " " + residents["family_name"]).tolist() == firms[
        "representative"
    ].tolist()


def test_hospital_diagnoses_are_skewed(country):
    shares = country("hospital_stays")["diagnosis"].value_counts(normalize=True)
    assert shares.iloc[0] > 2 / len(shares) > shares.iloc[-1]
