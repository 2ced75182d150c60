"""What the loyalty service says of rewards, vouchers, adjustments and campaigns, in Chinese (``console/reasons.py``).

The sentences are built where the decision is made; here is each form with how it is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from gateway.console.words import exact, term

Form = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
LENGTHS = {"day": "天", "week": "周", "month": "个月", "year": "年"}
_PERIODS = {"year": "本年", "month": "本月"}
_POINTS = r"(\d+) points(?: and the (\d+) that the same person changed within (.+))?"
_NEEDS = {"a second person": "须经第二人同意", "a director": "须经总监同意"}


def _form(pattern: str, said: Callable[[re.Match[str]], str]) -> Form:
    return re.compile(pattern), said


def _tiers(listed: str) -> str:
    return "、".join(map(term, listed.split(", ")))


def _at(instant: str) -> str:
    try:
        return exact(datetime.fromisoformat(instant))
    except ValueError:
        return instant


def _length(text: str) -> str:
    number, _, unit = text.partition(" ")
    return f"{number} {LENGTHS.get(unit.removesuffix('s'), unit)}"


def _promise(text: str) -> str:
    found = re.fullmatch(r"base x (\S+)", text)
    return f"基础积分 × {found[1]}" if found else text.replace("bonus of", "每笔加赠") + " 分"


def _points(found: re.Match[str]) -> str:
    before = f"，加上同一人 {_length(found[3])}内已调整的 {found[2]} 分，" if found[2] else ""
    return f"{found[1]} 分{before}"


FORMS: tuple[Form, ...] = (
    # why a reward can't be had
    _form(r"(\S+) is not on offer yet", lambda m: f"{m[1]} 尚未开始兑换"),
    _form(r"(\S+) is not on offer any more", lambda m: f"{m[1]} 已停止兑换"),
    _form(r"(\S+) is for (.+); the member is (\w+)", lambda m: f"{m[1]} 仅限{_tiers(m[2])}，该会员为{term(m[3])}"),
    _form(r"a member may have (\d+) of (\S+); this one has had (\d+) and asks for (\d+)",
          lambda m: f"{m[2]} 每位会员限 {m[1]} 份，该会员已兑 {m[3]} 份，本次要兑 {m[4]} 份"),
    _form(r"(\d+) of (\S+) were asked for, (\d+) are left", lambda m: f"要兑 {m[1]} 份 {m[2]}，只剩 {m[3]} 份"),
    _form(r"(\d+) points were asked for, (\d+) are available", lambda m: f"需要 {m[1]} 分，可用 {m[2]} 分"),
    _form(r"the hold has set (\d+) points aside, (\S+) costs (\d+)",
          lambda m: f"已冻结 {m[1]} 分，{m[2]} 需要 {m[3]} 分"),
    # why a reward can't be changed
    _form(r"there is a reward (\S+) already: .+", lambda m: f"已有编号为 {m[1]} 的奖品：请修改该奖品或换一个编号"),
    _form(r"(\S+) is not counted: .+", lambda m: f"{m[1]} 不计库存：如需计数请另建奖品"),
    _form(r"(\d+) of (\S+) are claimed already: .+", lambda m: f"{m[2]} 已兑出 {m[1]} 份：总量不得少于此数"),
    _form(r"the pack has no tier (.+): choose among (.+)", lambda m: f"制度包中没有等级 {m[1]}：可选 {_tiers(m[2])}"),
    # why it can't be cancelled, why a voucher is not taken
    _form(r"a redemption may be cancelled within (.+) \((.+)\): this one could be until (.+)",
          lambda m: f"兑换后 {_length(m[1])}内可以取消（{m[2]}）：本单已于 {_at(m[3])} 过期"),
    _form(r"voucher (\S+) is (\w+): its redemption stands", lambda m: f"券 {m[1]} {term(m[2])}：该兑换不可取消"),
    _form(r"no voucher has the code (\S+)", lambda m: f"没有券码为 {m[1]} 的券"),
    _form(r"the voucher was used on (\S+) at (.+)", lambda m: f"该券已于 {_at(m[1])} 在 {m[2]} 使用"),
    _form(r"the voucher was used on (\S+)", lambda m: f"该券已于 {_at(m[1])} 使用"),
    _form(r"the voucher could be used until (\S+)", lambda m: f"该券有效期至 {_at(m[1])}"),
    # points changed by hand
    _form(rf"{_POINTS} are above (\d+): (a second person|a director) must agree",
          lambda m: f"{_points(m)}超过 {m[4]} 分：{_NEEDS[m[5]]}"),
    _form(rf"{_POINTS} are within the (\d+) that may be changed alone",
          lambda m: f"{_points(m)}在可独立调整的 {m[4]} 分之内"),
    _form(r"(\d+) points shall be taken, (\d+) are available", lambda m: f"要扣 {m[1]} 分，可用 {m[2]} 分"),
    _form(r"([+-]\d+) points \((\w+)\): (.+)", lambda m: f"积分调整 {m[1]}（{term(m[2])}）：{m[3]}"),
    # rights of a tier
    _form(r"(\w+) was used (\d+) of (\d+) times this (\w+); again from (\S+)",
          lambda m: f"{term(m[1])}：{_PERIODS.get(m[4], m[4])}已用 {m[2]} 次，共 {m[3]} 次；{_at(m[5])} 起可再用"),
    _form(r"a member of tier (\w+) has no (\w+): (.+) have",
          lambda m: f"{term(m[1])}会员没有“{term(m[2])}”：{_tiers(m[3])}会员才有"),
    # campaigns
    _form(r"there is a campaign (\S+) already: .+", lambda m: f"已有编号为 {m[1]} 的活动：请换一个编号"),
    _form(r"it is (\w+) already", lambda m: f"该活动{term(m[1])}"),
    _form(r"it does not run, it is (\w+)", lambda m: f"该活动没有进行：{term(m[1])}"),
    _form(r"it ended by itself at (\S+)", lambda m: f"该活动已于 {_at(m[1])} 自行结束"),
    _form(r"above 1 and at most (\S+), says the policy pack \((.+)\)",
          lambda m: f"须大于 1 且不超过 {m[1]}（制度包 {m[2]}）"),
    _form(r"at most (\S+) points, says the policy pack \((.+)\)", lambda m: f"不超过 {m[1]} 分（制度包 {m[2]}）"),
    _form(r"at most 0\.5", lambda m: "不超过 50%"),
    _form(r"no tier of the policy pack: (.+)", lambda m: f"制度包中没有等级：{m[1]}"),
    _form(r"Start campaign (\S+): (.+), (\d+) members",
          lambda m: f"启动活动 {m[1]}：{_promise(m[2])}，涉及 {m[3]} 位会员"),
)  # fmt: skip
