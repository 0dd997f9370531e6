"""What can go wrong with a provider.

    ProviderError
    ├── TransientNetwork    no connection, or no (whole) answer in time
    ├── RateLimited         too many requests; `retry_after` says how long to hold
    ├── Overloaded          the provider is broken or busy: 5xx, task codes 5xxx
    ├── TaskFailed          the provider gave up on a task that was in order; a new one may do
    ├── OutcomeUnknown      a paid request may or may not have been taken: look it up, never just send it again
    ├── QuotaExhausted      the allowance of the day or month is used up
    ├── PaymentRequired     no credits
    ├── AuthFailed          the key is missing, wrong or not allowed
    ├── ModelUnavailable    the model does not exist (any more)
    ├── ContentRefused      the provider declined the content; never asked elsewhere by default
    ├── InvalidRequest      the request itself is wrong
    │   ├── RequestTooLarge     more than the model takes
    │   └── InputUnreadable     a picture could not be fetched or read by the provider
    ├── Truncated           the answer stopped at the token limit
    ├── MalformedOutput     the answer cannot be read
    └── ResultLost          a result was made but is gone (expired, deleted)

`message` and `action` are for people; `detail` holds the provider's own words, redacted, for operators.
`sent` tells money: False, the request surely never reached the provider; None, nobody knows; True, it was answered.
`charged`: whether it cost something, None when nobody said; `cost_usd` and `cost_source` as in the ledger.
"""

from decimal import Decimal
from typing import ClassVar, Literal

from apps.core.errors import Remedy
from apps.providers.registry import provider_name

Health = Literal["up", "down", "limited", "refuses_us"]


class ProviderError(Exception):
    """Common to all. `can_pass`: the same call may succeed later. `may_fall_back`: another model may be asked.

    `advice` is for a job that this error ended; `remedy` is the same as a code. `health` is what the failure says of the
    provider itself; the governor's breakers count by it.
    """

    code: ClassVar[str] = "provider_error"
    can_pass: bool = False
    may_fall_back: ClassVar[bool] = True
    health: ClassVar[Health] = "up"
    words: ClassVar[str] = "{provider} could not do this."
    advice: ClassVar[str] = "Try it again."
    remedy: ClassVar[Remedy] = Remedy.RETRY

    def __init__(
        self,
        provider: str,
        *,
        detail: str = "",
        message: str = "",
        sent: bool | None = True,
        charged: bool | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        provider_code: str = "",
        cost_usd: Decimal | None = None,
        cost_source: str = "reported",
    ) -> None:
        self.provider = provider
        self.message = message or self.words.format(provider=provider_name(provider))
        self.action = self.advice.format(provider=provider_name(provider))
        self.detail = detail
        self.sent = sent
        self.charged = charged
        self.http_status = http_status
        self.retry_after = retry_after
        self.provider_code = provider_code
        self.cost_usd = cost_usd
        self.cost_source = cost_source
        super().__init__(self.message)

    @property
    def outcome_known(self) -> bool:
        """Whether it is certain that the provider holds no work of ours from this request."""
        return self.sent is not None


class TransientNetwork(ProviderError):
    code = "provider_unreachable"
    can_pass = True
    health = "down"
    words = "{provider} did not answer."
    advice = "Try it again. If it lasts, whoever runs this desk should check its network."


class RateLimited(ProviderError):
    code = "rate_limited"
    can_pass = True
    health = "limited"
    words = "{provider} asked us to slow down."
    advice = "Nothing to do: it goes on by itself and loses no try."


class Overloaded(ProviderError):
    code = "provider_overloaded"
    can_pass = True
    health = "down"
    words = "{provider} is overloaded or broken at the moment."
    advice = "Try it again later."


class TaskFailed(ProviderError):
    code = "provider_task_failed"
    can_pass = True
    words = "{provider} took the order but could not carry it out."
    advice = "Try it again; {provider} refunds failed orders."


class OutcomeUnknown(ProviderError):
    code = "outcome_unknown"
    health = "down"
    may_fall_back = False
    words = "We cannot tell whether {provider} took this order. It was not sent again."
    advice = "Retry looks for it once more and buys nothing while it may exist. Whoever runs this desk can settle it."
    remedy = Remedy.SETTLE


class QuotaExhausted(ProviderError):
    code = "quota_exhausted"
    health = "refuses_us"
    words = "The allowance at {provider} is used up for now."
    advice = "Wait until it renews, or raise it at {provider}."
    remedy = Remedy.NONE


class PaymentRequired(ProviderError):
    code = "no_credits"
    health = "refuses_us"
    words = "{provider} has no credits left."
    advice = "Buy credits at {provider}; what is queued stays queued."
    remedy = Remedy.NONE


class AuthFailed(ProviderError):
    code = "provider_key_refused"
    health = "refuses_us"
    words = "{provider} does not accept our key."
    advice = "Whoever runs this desk must check the {provider} key in the settings."
    remedy = Remedy.NONE


class ModelUnavailable(ProviderError):
    code = "model_unavailable"
    words = "{provider} does not offer this model."
    advice = "Choose another model in the settings."
    remedy = Remedy.NONE


class ContentRefused(ProviderError):
    code = "content_refused"
    may_fall_back = False
    words = "{provider} declined this content."
    advice = "Change the prompt or the pictures."
    remedy = Remedy.NEW_PROMPT


class InvalidRequest(ProviderError):
    code = "provider_invalid_request"
    may_fall_back = False
    words = "{provider} did not accept the request."
    advice = "Check the prompt, the pictures and the size."
    remedy = Remedy.NEW_PROMPT


class RequestTooLarge(InvalidRequest):
    code = "request_too_large"
    may_fall_back = True
    words = "This is more than {provider} takes in one request."
    advice = "Use fewer or smaller pictures, or a shorter text."
    remedy = Remedy.NONE


class InputUnreadable(InvalidRequest):
    code = "provider_input_unreadable"
    words = "{provider} could not read one of the pictures."
    advice = "Replace it with a JPEG, PNG or WebP."
    remedy = Remedy.NEW_TARGET


class Truncated(ProviderError):
    code = "answer_cut_short"
    can_pass = True
    words = "{provider} stopped in the middle of its answer."
    advice = "Try it again with a larger limit."


class MalformedOutput(ProviderError):
    code = "provider_answer_unreadable"
    can_pass = True
    health = "down"
    words = "{provider} sent an answer that cannot be read."
    advice = "Try it again later."


class ResultLost(ProviderError):
    code = "result_lost"
    may_fall_back = False
    words = "{provider} lost the result before we could fetch it."
    advice = "Try it again."
