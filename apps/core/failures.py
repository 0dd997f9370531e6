"""What can go wrong with an HTTP request of ours, told apart by what the server may have done.

    HttpFailure
    ├── Blocked      the address policy refused it: nothing was sent
    ├── NotSent      nothing of the request can have reached the server: DNS, connect, TLS
    ├── NoAnswer     it was sent, or may have been: what the server did with it is unknown
    ├── TooLarge     it was answered with more bytes than allowed
    └── NotAStream   it was answered, but not with a stream of lines; `reply` is the answer

A caller that pays for a request may repeat it after NotSent or Blocked, and after nothing else.
"""

from typing import ClassVar

from apps.core.reply import Reply


class HttpFailure(Exception):
    """A request without a usable answer. `sent`: False surely not, True answered, None unknown.

    `detail` says what happened in a plain sentence that names the host and nothing secret.
    """

    sent: ClassVar[bool | None] = None

    def __init__(self, detail: str, *, timed_out: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.timed_out = timed_out


class Blocked(HttpFailure):
    sent = False


class NotSent(HttpFailure):
    sent = False


class NoAnswer(HttpFailure):
    sent = None


class TooLarge(HttpFailure):
    sent = True


class NotAStream(HttpFailure):
    sent = True

    def __init__(self, detail: str, reply: Reply) -> None:
        super().__init__(detail)
        self.reply = reply
