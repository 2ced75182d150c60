"""What the company sells, and how a sum of money becomes a basket of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random


@dataclass(frozen=True)
class Product:
    """One article; ``price`` in yuan."""

    sku: str
    name: str
    category: str
    price: Decimal
    taste: str


def _product(sku: str, name: str, category: str, price: str, taste: str) -> Product:
    return Product(sku, name, category, Decimal(price), taste)


PRODUCTS = (
    _product("YX-W0550", "云溪天然水 550ml", "water", "2.00", "纯净水"),
    _product("YX-W0550X24", "云溪天然水 550ml×24", "water", "42.00", "纯净水"),
    _product("YX-W5000", "云溪桶装水 5L", "water", "11.50", "纯净水"),
    _product("YX-W1890", "云溪桶装水 18.9L", "water", "22.00", "纯净水"),
    _product("YX-T0500G", "云溪绿茶 500ml", "tea", "4.00", "茶饮料"),
    _product("YX-T0500O", "云溪乌龙无糖 500ml", "tea", "5.50", "茶饮料"),
    _product("YX-T0500OX15", "云溪乌龙无糖 500ml×15", "tea", "72.00", "茶饮料"),
    _product("YX-J0300N", "NFC 橙汁 300ml", "juice", "8.80", "果汁"),
    _product("YX-J1000A", "苹果汁 1L", "juice", "18.80", "果汁"),
    _product("YX-D0180X12", "常温酸奶 180g×12", "dairy", "59.90", "酸奶"),
    _product("YX-D0250X16", "纯牛奶 250ml×16", "dairy", "65.00", "酸奶"),
    _product("YX-N0750", "每日坚果 750g", "snack", "99.00", "坚果"),
    _product("YX-N0150", "海盐腰果 150g", "snack", "26.90", "坚果"),
    _product("YX-B0400", "苏打饼干 400g", "snack", "15.80", "饼干"),
    _product("YX-B0680", "曲奇礼盒 680g", "gift", "88.00", "饼干"),
    _product("YX-K0200", "婴儿米粉 200g", "baby", "36.00", "婴儿辅食"),
    _product("YX-K0090X6", "果泥 90g×6", "baby", "49.00", "婴儿辅食"),
    _product("YX-M0070X6", "自热米饭 6 盒", "meal", "78.00", "饼干"),
)
_CHEAPEST = min(product.price for product in PRODUCTS)


@dataclass(frozen=True)
class Line:
    """So many of one article."""

    product: Product
    quantity: int

    @property
    def amount(self) -> Decimal:
        """What the line costs."""
        return self.product.price * self.quantity


def basket(chance: Random, worth: float, taste: str) -> list[Line]:
    """One to four articles, more often of the customer's taste, that together cost about ``worth`` yuan."""
    left = max(Decimal(f"{worth:.2f}"), _CHEAPEST)
    weights = [4 if product.taste == taste else 1 for product in PRODUCTS]
    lines: dict[str, Line] = {}
    wanted = chance.choices((1, 2, 3, 4), (35, 33, 20, 12))[0]
    for number in range(wanted, 0, -1):
        product = chance.choices(PRODUCTS, weights)[0]
        part = left / number
        if product.price > left or product.sku in lines:
            continue
        lines[product.sku] = Line(product, max(1, round(part / product.price)))
        left -= lines[product.sku].amount
        if left < _CHEAPEST:
            break
    if left >= _CHEAPEST:  # the rest in bottles, so that the basket is worth what was wanted
        dearest = max((one for one in PRODUCTS if one.price <= left), key=lambda one: one.price)
        fill = lines.get(dearest.sku, Line(dearest, 0))
        lines[dearest.sku] = Line(dearest, fill.quantity + int(left // dearest.price))
    return list(lines.values())
