"""SMS through a provider's HTTP interface, in the dialect of its adapter."""

from __future__ import annotations

from datetime import timedelta

from notify.channels import answers, http
from notify.channels.addresses import Reach, target
from notify.channels.domain import Outcome, Outgoing
from notify.channels.sms_adapter import SmsAdapter, dialable


class SmsChannel:
    """Asks one provider. Its address comes from who runs the installation and may be private."""

    name = "sms"

    def __init__(self, adapter: SmsAdapter, timeout: timedelta) -> None:
        self.idempotent = adapter.idempotent
        self._adapter = adapter
        self._target = target(adapter.url)
        self._timeout = timeout

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one SMS in."""
        if not dialable(outgoing.address):
            return Outcome("permanent", reason="not a telephone number in international form")
        headers, body = self._adapter.request(outgoing)
        try:
            answer = http.post(
                self._target,
                body,
                headers,
                reach=Reach(anywhere=True),
                timeout=self._timeout,
                method=self._adapter.method,
            )
        except http.NoAnswer as silent:
            return Outcome("temporary", reason=str(silent), uncertain=silent.asked, our_fault=True)
        said = answers.verdict(answer.status, answer.headers.get("retry-after"), outgoing.at)
        if said is None:
            return self._adapter.verdict(answer.body)
        if answer.status in (401, 403):  # our key, not the recipient
            return Outcome("temporary", reason=said.reason, our_fault=True)
        return said
