"""How OpenAI speaks the wire it began: a 429 is not always a rate limit, and a retired image model is a 400."""

from apps.providers import errors
from apps.providers.openai_wire.dialect import Dialect, Rules

RULES: Rules = (
    (None, r"insufficient_quota|credit_balance_exhausted|exceeded your current quota|spend.?limit", errors.QuotaExhausted),
    ({402}, r"", errors.PaymentRequired),
    ({400, 403}, r"moderation_blocked|content_policy_violation|safety system", errors.ContentRefused),
    ({401}, r"", errors.AuthFailed),
    ({403}, r"must be verified|does not have access to model", errors.ModelUnavailable),
    ({403}, r"", errors.AuthFailed),
    ({400, 404}, r"model_not_found|model .*(does not exist|has been (deprecated|shut down|retired))", errors.ModelUnavailable),
    ({404}, r"", errors.ModelUnavailable),
    ({429}, r"request too large", errors.RequestTooLarge),
    ({400, 422}, r"context_length_exceeded|maximum context length|string_above_max_length|too large", errors.RequestTooLarge),
    ({413}, r"", errors.RequestTooLarge),
    ({400, 422}, r"invalid_image|image_parse_error|(fetch|download|decod|read|unsupported|invalid|process).{0,40}\bimage",
     errors.InputUnreadable),
    ({429}, r"", errors.RateLimited),
    ({408, 409, 425}, r"", errors.Overloaded),
)  # fmt: skip

DIALECT = Dialect(provider="openai", rules=RULES)
