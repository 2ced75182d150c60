"""E-mail by SMTP: one connection a mail, STARTTLS, one recipient, every end of it an outcome."""

from __future__ import annotations

import smtplib
import socket
import ssl
from datetime import timedelta
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8

from notify.channels import mail
from notify.channels.deadline import Deadline
from notify.channels.domain import Outcome, Outgoing


class EmailChannel:
    """Hands mails to one server. SMTP knows no idempotency key: a broken connection may leave a duplicate."""

    name = "email"
    idempotent = False

    def __init__(
        self, server: mail.Server, sender: Address, timeout: timedelta, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        self._timeout = timeout
        self._tls = tls or ssl.create_default_context()

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one mail in. A failure before the text was handed over is certain; after it, it is not."""
        try:
            to = mail.address(outgoing.address)
        except mail.NoAddress as wrong:
            return Outcome("permanent", reason=str(wrong))
        message = mail.compose(outgoing, self._sender, to)
        with Deadline(self._timeout) as deadline:
            smtp = _Conversation(self._server, self._tls, self._sender, deadline, self._timeout)
            try:
                refused = smtp.refusal(to, message.as_bytes(policy=SMTP if _plain(to) else SMTPUTF8))
            except (smtplib.SMTPException, OSError) as broken:
                refused = _broken(broken, smtp.handing_over)
            finally:
                smtp.part()
        return refused or Outcome("sent", reference=message["Message-ID"])


class _Conversation(smtplib.SMTP):
    """One mail's conversation with the server."""

    def __init__(
        self, server: mail.Server, tls: ssl.SSLContext, sender: Address, deadline: Deadline, timeout: timedelta
    ) -> None:
        super().__init__(local_hostname=sender.domain, timeout=timeout.total_seconds())
        self._server, self._tls, self._sender, self._deadline = server, tls, sender, deadline
        self._host = server.host  # whose certificate STARTTLS expects
        self.handing_over = False

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Where smtplib makes its connection: watched from the first byte, so that the greeting is not for ever."""
        connection = socket.create_connection((host, port), timeout)
        self._deadline.watch(connection)
        return self._tls.wrap_socket(connection, server_hostname=host) if self._server.implicit_tls else connection

    def refusal(self, to: Address, message: bytes) -> Outcome | None:
        """Say all of it; None: the server took the mail."""
        self._introduce()
        if not _plain(to) and not self.has_extn("smtputf8"):
            return Outcome("permanent", reason="the mail server can't take an address in this script")
        code, said = self.mail(self._sender.addr_spec, [] if _plain(to) else ["SMTPUTF8"])
        if code != 250:
            return mail.verdict("mail", code, _words(said))
        code, said = self.rcpt(to.addr_spec)
        if code not in (250, 251):
            return mail.verdict("rcpt", code, _words(said))
        self.handing_over = True
        try:
            code, said = self.data(message)
        except smtplib.SMTPDataError as unwilling:  # it would not even begin to listen
            code, said = unwilling.smtp_code, _bytes(unwilling.smtp_error)
        return None if code == 250 else mail.verdict("data", code, _words(said))

    def _introduce(self) -> None:
        server = self._server
        code, said = self.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        self.ehlo_or_helo_if_needed()
        if not server.implicit_tls and server.starttls != "never":
            if self.has_extn("starttls"):
                self.starttls(context=self._tls)
                self.ehlo()
            elif server.starttls == "required":
                raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS")
        if server.user:
            self.login(server.user, server.password)

    def part(self) -> None:
        """Say goodbye. A farewell that fails takes nothing back: what the server took, it has."""
        try:
            if self.sock is not None:
                self.quit()
        except (smtplib.SMTPException, OSError):
            self.close()


def _plain(to: Address) -> bool:
    return to.username.isascii()


def _broken(broken: Exception, handing_over: bool) -> Outcome:
    """The conversation broke off: our trouble, worth another attempt; perhaps the server has the mail all the same."""
    if isinstance(broken, smtplib.SMTPResponseException):
        reason = f"{broken.smtp_code} {_words(_bytes(broken.smtp_error))}"
        return Outcome("temporary", reason=reason, our_fault=True)
    reason = f"mail server: {type(broken).__name__}: {' '.join(str(broken).split())[:200]}"
    return Outcome("temporary", reason=reason, uncertain=handing_over, our_fault=True)


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()


def _words(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())[:200]
