"""Shops and what stands behind them: orders travel from store to warehouse to factory, and swell.

A region has 120 stores, 12 warehouses and 3 factories, and is simulated week by week: customers come (Poisson,
with season, weather of the trade and promotions), stores order up to a target that follows their own sales,
warehouses follow the stores' orders and factories the warehouses'. Nobody sees more than the orders of the
next one down: the bullwhip effect (Lee and others 1997) comes out, it is not put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datapolis import reference
from datapolis.columns import Floats, Integers, coded, numbered
from datapolis.country import Country
from datapolis.registry import STORES, STORES_A_WAREHOUSE, store_count

FIRST_MONDAY = np.datetime64("2024-11-04")
WEEKS = 60
FACTORIES = 3

PARAMETERS = {
    "season: largest share above the year's mean": 0.35,
    "promotion: share of weeks": 0.1,
    "promotion: demand, of the usual": 1.8,
    "promotion: price, of the usual": 0.8,
    "lead time store, weeks": 1,
    "lead time warehouse, weeks": 2,
    "lead time factory, weeks": 2,
    "forecast: weight of the last week": 0.3,
    "safety stock, weeks of demand": 0.5,
    "case: units ordered at a time by warehouses": 12,
}

PRODUCTS = tuple(
    (name, chinese, group, price)
    for group, goods in {
        "bakery": "rye bread 黑麦面包 3.2, rolls 小圆面包 2.1, flat bread 薄饼 2.6, cake 蛋糕 5.9, biscuits 饼干 2.4, rusks 面包干 1.9, muesli 麦片 4.1, crackers 咸饼干 2.2",
        "dairy": "milk 牛奶 1.3, yoghurt 酸奶 0.9, butter 黄油 2.8, cheese 奶酪 4.6, cream 奶油 1.5, curd 凝乳 1.7, soy milk 豆奶 1.8, eggs 鸡蛋 3.1",
        "fruit": "apples 苹果 2.5, oranges 橙子 2.9, bananas 香蕉 1.8, grapes 葡萄 3.9, pears 梨 2.7, melons 甜瓜 3.5, plums 李子 3.0, lychees 荔枝 5.2",
        "vegetables": "potatoes 土豆 2.0, cabbage 白菜 1.6, tomatoes 番茄 2.8, onions 洋葱 1.2, carrots 胡萝卜 1.3, spinach 菠菜 2.2, peppers 辣椒 2.6, mushrooms 蘑菇 2.9",
        "drinks": "water 矿泉水 0.7, juice 果汁 2.3, green tea 绿茶 3.8, coffee 咖啡 6.9, lemonade 汽水 1.4, beer 啤酒 1.9, iced tea 冰茶 1.7, cocoa 可可 3.6",
        "store cupboard": "rice 大米 3.3, noodles 面条 1.5, flour 面粉 1.1, beans 豆子 1.6, oil 食用油 4.4, soy sauce 酱油 2.7, sugar 糖 1.2, salt 盐 0.6, vinegar 醋 1.4, peanuts 花生 2.8",
        "household": "soap 肥皂 1.9, shampoo 洗发水 3.7, toothpaste 牙膏 2.1, detergent 洗衣粉 5.4, paper towels 纸巾 2.9, candles 蜡烛 3.2, batteries 电池 4.8, light bulbs 灯泡 3.9, matches 火柴 0.5, sponges 海绵 1.6",
    }.items()
    for name, chinese, price in (
        (" ".join(words[:-2]), words[-2], float(words[-1]))
        for words in (good.split() for good in goods.split(", "))
    )
)  # fmt: skip
_PEAK = {  # week of the year in which a group sells best
    "bakery": 50, "dairy": 20, "fruit": 34, "vegetables": 26, "drinks": 30, "store cupboard": 2, "household": 14,
}  # fmt: skip


@dataclass(frozen=True)
class Echelon:
    """One level of the chain, week by week; arrays of shape (weeks, places, products), in units."""

    demand: Integers  # what the level below (or customers) wanted
    sold: Integers  # what they got
    ordered: Integers
    received: Integers
    stock: Integers  # at the end of the week


@dataclass(frozen=True)
class Region:
    """A simulated region: its three levels, promotions and sizes."""

    stores: Echelon
    warehouses: Echelon
    factories: Echelon  # a factory makes every third product
    promoted: NDArray[np.bool_]  # (weeks, products), the same in all stores
    size: Floats  # (stores,) of the mean store


@lru_cache(maxsize=2)
def simulate(country: Country, number: int) -> Region:
    """Sixty weeks of region ``number``."""
    stores = min(STORES, store_count(country) - number * STORES)
    warehouse = np.arange(stores) // STORES_A_WAREHOUSE
    products, draw = len(PRODUCTS), country.draw("retail", number)
    promoted = promotions(country)
    size = np.exp(draw("size").normal(-0.08, 0.4, stores))
    taste = np.exp(draw("taste").normal(-0.045, 0.3, (stores, products)))
    mean = (size[:, None] * taste)[None] * (_usual(country) * _season())[:, None]
    mean *= np.where(promoted, PARAMETERS["promotion: demand, of the usual"], 1.0)[:, None]
    demand = draw("demand").poisson(mean)

    first = _usual(country)[None] * size[:, None] * taste  # what everybody expects at the start
    at_warehouse = np.add.reduceat(first, np.arange(0, stores, STORES_A_WAREHOUSE))
    levels = [
        _Level(first, PARAMETERS["lead time store, weeks"], 1),
        _Level(at_warehouse, PARAMETERS["lead time warehouse, weeks"], 12),
        _Level(at_warehouse.sum(axis=0, keepdims=True), PARAMETERS["lead time factory, weeks"], 1),
    ]
    store, middle, factory = levels
    for week in range(WEEKS):
        store.open(week)
        store.sell(week, demand[week])
        asked = store.order(week)
        middle.open(week)
        wanted = np.add.reduceat(asked, np.arange(0, stores, STORES_A_WAREHOUSE))
        middle.sell(week, wanted)
        store.deliver(week, _share_out(asked, wanted, middle.sold[week], warehouse))
        asked = middle.order(week)
        factory.open(week)
        factory.sell(week, asked.sum(axis=0, keepdims=True))
        only = np.zeros(len(asked), dtype=np.int64)
        middle.deliver(
            week, _share_out(asked, asked.sum(axis=0, keepdims=True), factory.sold[week], only)
        )
        factory.deliver(week, factory.order(week))  # a factory makes what it wants to make
    return Region(store.record(), middle.record(), factory.record(), promoted, size)


class _Level:
    """Places of one level that forecast, order and sell."""

    def __init__(self, expected: Floats, lead: float, case: int) -> None:
        self.lead, self.case, self.forecast = int(lead), case, expected
        shape = (WEEKS, *expected.shape)
        self.demand, self.sold, self.ordered, self.stock = (
            np.zeros(shape, dtype=np.int64) for _ in range(4)
        )
        self.received = np.zeros((WEEKS + self.lead + 1, *expected.shape), dtype=np.int64)
        self.received[: self.lead + 1] = np.round(expected)
        cover = 1 + PARAMETERS["safety stock, weeks of demand"]
        self.now = np.round(expected * cover).astype(np.int64)
        self.coming = self.received[: self.lead + 1].sum(axis=0)

    def open(self, week: int) -> None:
        self.now = self.now + self.received[week]
        self.coming = self.coming - self.received[week]

    def sell(self, week: int, wanted: Integers) -> None:
        self.demand[week], self.sold[week] = wanted, np.minimum(wanted, self.now)
        self.now = self.stock[week] = self.now - self.sold[week]

    def order(self, week: int) -> Integers:
        weight = PARAMETERS["forecast: weight of the last week"]
        seen = (
            self.sold[week] if self.lead == 1 else self.demand[week]
        )  # customers who leave are not seen
        self.forecast = (1 - weight) * self.forecast + weight * seen
        target = self.forecast * (self.lead + 1 + PARAMETERS["safety stock, weeks of demand"])
        missing = np.maximum(target - self.now - self.coming, 0)
        self.ordered[week] = np.round(missing / self.case).astype(np.int64) * self.case
        return self.ordered[week]

    def deliver(self, week: int, sent: Integers) -> None:
        self.received[week + self.lead] += sent
        self.coming = self.coming + sent

    def record(self) -> Echelon:
        return Echelon(self.demand, self.sold, self.ordered, self.received[:WEEKS], self.stock)


def _share_out(asked: Integers, wanted: Integers, there: Integers, group: Integers) -> Integers:
    """Who gets what when there is less than was asked for: in proportion, in whole units."""
    share = np.divide(there, wanted, out=np.zeros(there.shape), where=wanted > 0)
    return np.floor(asked * share[group] + 1e-9).astype(np.int64)


@cache
def _season() -> Floats:
    """Demand by week and product, of the year's mean, shape (weeks, products)."""
    peak = np.array([_PEAK[group] for _, _, group, _ in PRODUCTS])
    week = (44 + np.arange(WEEKS))[:, None]  # 4 November is in the 45th week
    return 1 + PARAMETERS["season: largest share above the year's mean"] * np.cos(
        2 * np.pi * (week - peak[None]) / 52
    )


@lru_cache(maxsize=4)
def _usual(country: Country) -> Floats:
    """Mean units a week in the mean store, by product: a few sell fast and many slowly."""
    rank = country.draw("products", 0)("rank").permutation(len(PRODUCTS))
    return 34 / (1 + rank / 6)


@lru_cache(maxsize=4)
def promotions(country: Country) -> NDArray[np.bool_]:
    """Which product is promoted in which week, in every store, shape (weeks, products)."""
    draw = country.draw("products", 0)("promotions")
    return draw.random((WEEKS, len(PRODUCTS))) < PARAMETERS["promotion: share of weeks"]


def product_keys() -> list[str]:
    return [f"G{n + 1:03}" for n in range(len(PRODUCTS))]


def products(country: Country, part: int) -> pa.Table:
    names, chinese, groups, prices = zip(*PRODUCTS, strict=True)
    days = {"bakery": 6, "dairy": 14, "fruit": 10, "vegetables": 9, "drinks": 300}
    return pa.table(
        {
            "product_id": product_keys(),
            "name": list(chinese if country.locale == "zh_CN" else names),
            "group": list(groups),
            "price": list(prices),
            "supplier": [f"factory {n % FACTORIES + 1}" for n in range(len(PRODUCTS))],
            "shelf_life": [days.get(group, 720) for group in groups],
            "_units_a_week": np.round(_usual(country), 3),
        }
    )


def _places(country: Country, region: int) -> tuple[Integers, Integers]:
    """Numbers of the region's stores and warehouses in the country."""
    stores = region * STORES + np.arange(
        min(STORES, store_count(country) - region * STORES), dtype=np.int64
    )
    return stores, np.unique(stores // STORES_A_WAREHOUSE)


def store_keys(country: Country, region: int) -> pa.Array:
    return numbered("S", _places(country, region)[0] + 1, 6)


def _warehouse_keys(country: Country, region: int) -> pa.Array:
    return numbered("W", _places(country, region)[1] + 1, 5)


def _factory_keys(region: int) -> pa.Array:
    return numbered("F", region * FACTORIES + np.arange(FACTORIES, dtype=np.int64) + 1, 4)


def suppliers(country: Country, region: int) -> pa.Table:
    words, draw = reference.vocabulary(country.locale), country.draw("suppliers", region)
    name = words.family_names[0][draw("name").integers(0, 200, FACTORIES)]
    mean = simulate(country, region).factories.demand.mean(axis=(0, 1))
    each = np.array([mean[n::FACTORIES].sum() for n in range(FACTORIES)])
    joint = "" if country.locale == "zh_CN" else " "
    kind = "食品厂" if joint == "" else "Foods"
    return pa.table(
        {
            "supplier_id": _factory_keys(region),
            "name": [f"{n}{joint}{kind}" for n in name],
            "district": coded(words.districts, draw("district").integers(0, 12, FACTORIES)),
            "capacity": (np.ceil(each * 1.4 / 100) * 100).astype(np.int64),
            "lead_time": np.full(FACTORIES, 2),
            "cost_index": np.round(draw("cost").uniform(0.55, 0.72, FACTORIES), 3),
        }
    )


def warehouses(country: Country, region: int) -> pa.Table:
    words, draw = reference.vocabulary(country.locale), country.draw("warehouses", region)
    keys = _warehouse_keys(country, region)
    stock = simulate(country, region).warehouses.stock.sum(axis=2).max(axis=0)
    return pa.table(
        {
            "warehouse_id": keys,
            "district": coded(words.districts, draw("district").integers(0, 12, len(keys))),
            "capacity": (np.ceil(stock * 1.15 / 1000) * 1000).astype(np.int64),
            "lead_time": np.ones(len(keys), dtype=np.int64),
        }
    )


def store_districts(country: Country, region: int) -> Integers:
    """Each store's district; they follow the people."""
    stores, _ = _places(country, region)
    shares = np.cumsum([d.share for d in reference.DISTRICTS])
    draw = country.draw("stores", region)("district").random(len(stores))
    return np.searchsorted(shares / shares[-1], draw)


def stores(country: Country, region: int) -> pa.Table:
    words, draw = reference.vocabulary(country.locale), country.draw("stores", region)
    numbers, _ = _places(country, region)
    size = simulate(country, region).size
    return pa.table(
        {
            "store_id": store_keys(country, region),
            "warehouse_id": numbered("W", numbers // STORES_A_WAREHOUSE + 1, 5),
            "district": coded(words.districts, store_districts(country, region)),
            "floor_area": np.round(size * 400, -1).astype(np.int64),
            "tills": np.clip(np.round(size * 3.2), 1, 9).astype(np.int64),
            "opened": draw("opened").integers(1985, 2024, len(numbers)),
        }
    )


def inventory(country: Country, region: int) -> pa.Table:
    """What each store, warehouse and factory had, got, passed on and ordered, by week and product.

    Truth: ``_demand``, what customers or the level below wanted. In the data it shows only in what was sold.
    """
    what = simulate(country, region)
    stores, houses = store_keys(country, region), _warehouse_keys(country, region)
    places = pa.concat_arrays([stores, houses, _factory_keys(region)])
    first, parts = 0, []
    for level, echelon, count in (
        ("store", what.stores, len(stores)),
        ("warehouse", what.warehouses, len(houses)),
        ("factory", what.factories, 1),
    ):
        week, place, product = (
            a.reshape(-1) for a in np.indices((WEEKS, count, len(PRODUCTS)), dtype=np.int32)
        )
        if level == "factory":
            place = product % FACTORIES
        columns = {
            "week": pa.array((FIRST_MONDAY + 7 * week.astype(np.int64)).astype("datetime64[D]")),
            "place": coded(places, first + place),
            "level": coded((level,), np.zeros(len(week), dtype=np.int32)),
            "product_id": coded(product_keys(), product),
            "received": echelon.received.reshape(-1),
            "sold": echelon.sold.reshape(-1),
            "stock": echelon.stock.reshape(-1),
            "ordered": echelon.ordered.reshape(-1),
            "_demand": echelon.demand.reshape(-1),
        }
        parts.append(pa.table({k: _plain(v) for k, v in columns.items()}))
        first += count
    return pa.concat_tables(parts).combine_chunks()


def _plain(column: object) -> object:
    return column.cast(pa.string()) if isinstance(column, pa.DictionaryArray) else column


def shipments(country: Country, region: int) -> pa.Table:
    """Every delivery on its way: warehouse to store, factory to warehouse."""
    what = simulate(country, region)
    stores, houses = store_keys(country, region), _warehouse_keys(country, region)
    places = pa.concat_arrays([stores, houses, _factory_keys(region)])
    pieces = []
    for echelon, lead, first in ((what.stores, 1, 0), (what.warehouses, 2, len(stores))):
        week, place, product = np.nonzero(echelon.received)
        if first:
            source = len(stores) + len(houses) + product % FACTORIES
        else:
            source = len(stores) + place // STORES_A_WAREHOUSE
        units = echelon.received[week, place, product]
        pieces.append((week - lead, week, source, first + place, product, units))
    sent, week, source, target, product, units = map(np.concatenate, zip(*pieces, strict=True))
    order = np.lexsort((product, target, week))
    day = country.draw("shipments", region)("day").integers(0, 5, len(order))
    return pa.table(
        {
            "shipment_id": numbered("D", region * 10_000_000 + np.arange(len(order)), 11),
            "sent_on": pa.array(FIRST_MONDAY + 7 * sent[order] + day),
            "arrived_on": pa.array(FIRST_MONDAY + 7 * week[order]),
            "from_place": coded(places, source[order]),
            "to_place": coded(places, target[order]),
            "product_id": coded(product_keys(), product[order]),
            "units": units[order],
        }
    )
