"""Invented names that sound like their bearers: by the frequency of surnames, by sex and generation, by trade.

Surnames stand in the order of the Ministry of Public Security's yearly report, with shares rounded from it; the hundred
commonest bear about 85 of 100 people. Given names are what parents of each generation liked. No name here is anybody's.
"""

from __future__ import annotations

from random import Random

_SHARES = (7.2, 7.2, 6.8, 5.2, 4.5, 3.1, 2.2, 2.1, 2.0, 1.9, 1.8, 1.4, 1.3, 1.2, 1.1, 1.1, 1.0, 0.9, 0.9, 0.9)
_COMMONEST = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_COMMON = (
    "郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江"
    "尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
SURNAMES = (*_COMMONEST, *_COMMON, "欧阳", "上官", "司马", "单", "仇", "解")
_WEIGHTS = (*_SHARES, *(0.85 - 0.007 * rank for rank in range(len(_COMMON))), 0.07, 0.02, 0.02, 0.03, 0.01, 0.03)

# birth years up to which a generation's names were given, then the men's and the women's
_GENERATIONS = (
    (
        1964,
        "建国 建华 国强 志强 德明 文革 永福 卫东 金生 学文 振华 庆云 宝山 长林 正义 玉山 国庆 新民",
        "秀英 桂英 玉兰 桂兰 秀兰 玉珍 淑珍 凤英 淑华 月英 素芬 惠芳 春兰 美华 玉梅 爱珍 翠英 巧云",
    ),
    (
        1979,
        "伟 军 勇 强 建军 志刚 海涛 建平 文斌 永强 晓东 立新 红兵 国平 少华 永明 卫国 世杰 春生 爱民",
        "丽 敏 静 芳 燕 红 霞 艳 萍 玲 小红 丽华 春梅 雪梅 晓燕 海燕 建芳 玉玲 丽娟 彩霞 文英 秋菊",
    ),
    (
        1994,
        "磊 鹏 超 杰 涛 斌 浩 凯 俊杰 志豪 晓峰 文博 一鸣 嘉伟 天宇 振宇 家豪 明哲 子健 泽民 立群 海洋",
        "婷 雪 娜 倩 莹 颖 洁 晶 思琪 雅婷 晓彤 佳慧 梦瑶 慧敏 嘉欣 丹丹 美玲 诗雨 文静 欣怡 露 可心",
    ),
    (
        9999,
        "浩然 宇轩 子轩 浩宇 子墨 梓豪 俊熙 一诺 奕辰 宇航 子涵 博文 铭泽 嘉懿 煜城 皓轩 思源 睿",
        "欣怡 子涵 雨桐 梓萱 诗涵 可馨 一诺 语嫣 佳怡 雨欣 思彤 梦琪 若曦 静怡 紫萱 依诺 涵 悦",
    ),
)
_BOOK = tuple((until, men.split(), women.split()) for until, men, women in _GENERATIONS)

_COINED_FIRST = "恒瑞鑫盛华嘉宏泰广联天德兴隆永信众和新安百汇康裕明远顺达丰源同济博雅海纳"
_COINED = tuple(_COINED_FIRST[i : i + 2] for i in range(len(_COINED_FIRST) - 1))
TRADES = (
    "商贸", "餐饮管理", "超市", "食品", "物业管理", "科技", "酒店管理", "文化传播", "物流", "健身服务", "旅行社",
    "广告", "建筑工程", "电子", "母婴用品", "便利店连锁",
)  # fmt: skip
_NUMBERED = ("实验小学", "中学", "幼儿园", "人民医院", "社区卫生服务中心", "养老院")
_NUMBERS = "一二三四五六七八九"


def person(chance: Random, born: int, woman: bool) -> str:
    """A full name for somebody born in that year."""
    men, women = next((men, women) for until, men, women in _BOOK if born <= until)
    return chance.choices(SURNAMES, _WEIGHTS)[0] + chance.choice(women if woman else men)


def enterprise(chance: Random, city: str) -> str:
    """``上海恒瑞商贸有限公司``."""
    return f"{city}{chance.choice(_COINED)}{chance.choice(TRADES)}有限公司"


def institution(chance: Random, city: str, district: str) -> str:
    """``上海市静安区第三实验小学``."""
    return f"{city}市{district}第{chance.choice(_NUMBERS)}{chance.choice(_NUMBERED)}"
