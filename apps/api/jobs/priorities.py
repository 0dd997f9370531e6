"""Priority 1 to 10 as the API takes it."""

from functools import partial

from apps.api.serializers import WholeNumber
from apps.jobs.services import URGENT

PRIORITY = partial(
    WholeNumber,
    min_value=1,
    max_value=URGENT,
    default=5,
    help_text="Higher first; 10 is for staff, with the scope urgent",
)
