"""The organisation that journeys are told in: two branches, two stores, twelve people, one or more of every role."""

from __future__ import annotations

from kezhi.demo.company import Company, Person

TOWNSFOLK = Company(
    units=(
        ("HQ", "总公司", None),
        ("SH", "上海分公司", "HQ"),
        ("BJ", "北京分公司", "HQ"),
        ("SH001", "上海一店", "SH"),
        ("SH002", "上海二店", "SH"),
    ),
    staff=(
        Person("zhao.min", "赵敏", ("director",), "HQ", None),
        Person("qian.li", "钱丽", ("service_manager",), "SH", "zhao.min"),
        Person("sun.hao", "孙浩", ("store_manager",), "SH001", "zhao.min"),
        Person("li.wei", "李伟", ("handler",), "SH001", "sun.hao"),
        Person("zhou.jie", "周洁", ("handler",), "SH001", "sun.hao"),
        Person("wu.fang", "吴芳", ("front_desk",), "SH001", "sun.hao"),
        Person("zheng.yu", "郑宇", ("account_manager",), "SH001", "qian.li"),
        Person("wang.tao", "王涛", ("handler",), "SH002", "qian.li"),
        Person("feng.xue", "冯雪", ("marketing",), "HQ", "zhao.min"),
        Person("chen.jing", "陈静", ("finance",), "HQ", "zhao.min"),
        Person("chu.yi", "褚毅", ("supervisor",), "HQ", "zhao.min"),
        Person("wei.lan", "卫兰", ("auditor",), "HQ", None),
    ),
    heads={"HQ": "zhao.min", "SH": "qian.li", "SH001": "sun.hao"},
)
