"""Why a level, why a next round, why these points: the reasons of decisions in the reader's language.

Services build them where they decide, in English; each is a sentence of a known form. One of another form is shown as
the service said it: wrong words would be worse than foreign ones. (The sums of deadlines are in ``console/sums.py``.)
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.console.complaints.words import category
from gateway.console.fraud.sentences import FORMS as OF_FRAUD
from gateway.console.liability.sentences import FORMS as OF_REBATES
from gateway.console.rewards.sentences import FORMS as OF_REWARDS
from gateway.console.words import in_words, language, term

SCALE = {"very satisfied": "非常满意", "satisfied": "满意", "understands": "可以理解", "dissatisfied": "不满意",
         "very dissatisfied": "非常不满意"}  # fmt: skip
UNITS = {"working day": "个工作日", "hour": "小时", "day": "天", "week": "周", "month": "个月", "year": "年"}

Said = Callable[[re.Match[str]], str]


def reason(sentence: str | None) -> str:
    """One reason, as the reader says it. Several that hold together are joined by ``; ``."""
    if not sentence or language() != "zh-CN":
        return sentence or ""
    whole = _said(sentence)
    return whole if whole is not None else "；".join(_said(part) or part for part in sentence.split("; "))


def told(message: object) -> str:
    """What a service says when it refuses, as the reader knows it: from a catalogue, else as one of the known forms."""
    text = in_words(message)
    if text != message or language() != "zh-CN":
        return text
    return _said(text) or text


def _said(sentence: str) -> str | None:
    for form, said in _FORMS:
        if found := form.fullmatch(sentence):
            return said(found)
    return None


def _span(text: str) -> str:
    number, _, unit = text.partition(" ")
    return f"{number} {UNITS.get(unit.removesuffix('s'), unit)}"


def _answer(value: str, words: str) -> str:
    return f"评价 {value}（{SCALE.get(words, words)}）"


def _form(pattern: str, said: Said) -> tuple[re.Pattern[str], Said]:
    return re.compile(pattern), said


_FORMS: tuple[tuple[re.Pattern[str], Said], ...] = (
    # why a level
    _form(r"no condition of a higher level holds", lambda m: "不符合更高级别的条件"),
    _form(r"category ([\w.]+)", lambda m: f"类别：{category(m[1])}"),
    _form(r"channel (\w+)", lambda m: f"渠道：{term(m[1])}"),
    _form(r"value (\S+) at or above (\S+) (\w+)", lambda m: f"涉及金额 {m[1]}，达到 {m[2]} {m[3]}"),
    _form(r"against an? (\w+)", lambda m: f"投诉对象为{term(m[1])}"),
    _form(r"the complainant insists on a superior", lambda m: "客户坚持找上级"),
    _form(r"the same matter again within (\d+ [\w ]+)", lambda m: f"{_span(m[1])}内同一事项再次投诉"),
    # what the gate said
    _form(r"the answer (\d) \((.+)\) closes the case", lambda m: f"{_answer(m[1], m[2])}，结案"),
    _form(r"the answer (\d) \((.+)\) opens the next round at level (\d) instead of (\d)",
          lambda m: f"{_answer(m[1], m[2])}，进入下一轮，级别由 {m[4]} 级升为 {m[3]} 级"),
    _form(r"the answer (\d) \((.+)\) opens the next round; level (\d) is the top, .*",
          lambda m: f"{_answer(m[1], m[2])}，进入下一轮；已是最高级 {m[3]} 级，列入总经理会议"),
    _form(r"not reached in (\d+) attempts", lambda m: f"{m[1]} 次回访均未联系上"),
    # what the limits said
    _form(r"nothing is granted, so nobody's limit is touched", lambda m: "不涉及补偿，无需权限"),
    _form(r"(\S+ \w+) in this case(?: \(.*\))?: within the limit of (.+)",
          lambda m: f"本单补偿合计 {m[1]}，在权限 {m[2]} 之内"),
    _form(r"(\S+ \w+) in this case(?: \(.*\))?: no limit", lambda m: f"本单补偿合计 {m[1]}，无上限"),
    _form(r"(\S+ \w+) in this case(?: \(.*\))?: above the limit of (.+); (.+) may approve it",
          lambda m: f"本单补偿合计 {m[1]}，超出权限 {m[2]}；可由{'、'.join(map(term, m[3].split(', ')))}审批"),
    # why it was handed up, and what a second person is asked
    _form(r"the clock (\w+) of round (\d+) was missed: due (.+)",
          lambda m: f"第 {m[2]} 轮的{term(m[1])}时限已超：应于 {m[3]} 完成"),
    _form(r"Lower the grade of (\d+) customers, as of (\S+)", lambda m: f"下调 {m[1]} 位客户的等级（截至 {m[2]}）"),
    _form(r"Blacklist for the company: (.+)", lambda m: f"列入全公司黑名单：{m[1]}"),
    _form(r"Blacklist for (?:unit )?(\S+): (.+)", lambda m: f"列入 {m[1]} 黑名单：{m[2]}"),
    _form(r"Take off the blacklist of the company: (.+)", lambda m: f"移出全公司黑名单：{m[1]}"),
    # what the ledger says
    _form(r"compensation for complaint (\S+)", lambda m: f"投诉 {m[1]} 的补偿"),
    _form(r"the pending time is over", lambda m: "待生效期已满"),
    _form(r"cleared", lambda m: "审核通过"),
    # why an event was not taken
    _form(r"total (\S+) is not the sum of the lines, (\S+)", lambda m: f"总额 {m[1]} 不等于各行之和 {m[2]}"),
    _form(r"the lines add up to (\S+), the total says (\S+)", lambda m: f"各行合计 {m[1]}，总额却是 {m[2]}"),
    _form(r"It happens at (\S+), too far ahead: not after (\S+)\.",
          lambda m: f"发生时间 {m[1]} 过于超前：不得晚于 {m[2]}"),
    _form(r"The event does not follow the schema of (\S+): (.+)", lambda m: f"事件不符合 {m[1]} 的格式：{m[2]}"),
    # why a message did not arrive
    _form(r"not a telephone number in international form", lambda m: "不是有效的国际格式电话号码"),
    _form(r"the mail server can't take an address in this script", lambda m: "邮件服务器不支持该地址的文字"),
    _form(r"the sender died during the attempt", lambda m: "发送途中进程中断"),
    _form(r"the provider answered (.+)", lambda m: f"服务商答复：{m[1]}"),
    # what the control chart said
    _form(r"(\d+) of the (\d+) periods needed before this one", lambda m: f"此前只有 {m[1]} 期，满 {m[2]} 期方可判断"),
    _form(r"(\d+) is above the limit of (\S+)", lambda m: f"{m[1]} 件高于上限 {m[2]}：异常信号"),
    _form(r"(\d+) is below the limit of (\S+)", lambda m: f"{m[1]} 件低于下限 {m[2]}：异常信号"),
    _form(r"(\d+) periods in a row above the mean of (\S+)", lambda m: f"连续 {m[1]} 期高于均值 {m[2]}：异常信号"),
    _form(r"(\d+) periods in a row below the mean of (\S+)", lambda m: f"连续 {m[1]} 期低于均值 {m[2]}：异常信号"),
    _form(r"(\d+) lies between (\S+) and (\S+), as chance lets it",
          lambda m: f"{m[1]} 件在 {m[2]} 与 {m[3]} 之间，属正常波动"),
    *OF_FRAUD,
    *OF_REBATES,
    *OF_REWARDS,
)  # fmt: skip
