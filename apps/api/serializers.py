"""The fields that every resource is made of: camelCase outside, snake_case inside, strict about types."""

import re
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from django.utils.datastructures import MultiValueDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.text import one_line, seen
from apps.studio.pictures import MOST_REFERENCES

MAX_PROMPT = 4000
MAX_URL = 2048
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BOUNDARY = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    return _BOUNDARY.sub(lambda match: match[1].upper(), name)


class CamelSerializer(serializers.Serializer[Any]):
    """Declares `row_id`, reads and writes `rowId`; its validated data and the objects it shows say `row_id`.

    A key that it does not know is refused, and so is a second part of one name in a form: what a client sends is
    never dropped without a word."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # says so
        known = [name for name, field in self.fields.items() if not field.read_only]
        errors: dict[str, Any] = {str(key)[:60]: [_unknown_key(str(key), known)] for key in data if key not in known}
        if isinstance(data, MultiValueDict):
            errors |= {key: ["Send only one."] for key, values in data.lists() if len(values) > 1}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**errors, **dict(error.detail)}) from error  # type: ignore[arg-type]
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        renamed = {}
        for name, field in super().get_fields().items():
            if camel(name) != name and field.source is None:
                field.source = name
            renamed[camel(name)] = field
        return renamed


def _unknown_key(key: str, known: list[str]) -> str:
    near = get_close_matches(camel(key.lower().replace("-", "_")), known, n=1)
    return f"Unknown.{f' Is {near[0]} meant?' if near else ''} Known are {', '.join(known)}."


class WholeNumber(serializers.IntegerField):
    """No "5", no 5.0, no true."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class YesOrNo(serializers.BooleanField):
    """true or false; no "yes", no 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:40])
        return data


class Text(serializers.CharField):
    """A JSON string in one line; a number is not text. Always capped: `max_length` must be given.

    What cannot be seen is taken off (apps/core/text.py); what no database holds, NUL and halves of characters, is refused.
    """

    tidied = staticmethod(one_line)

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        given = super().to_internal_value(data)
        if _UNSTORABLE.search(given):
            return given  # the field's validators say what is wrong with it
        tidy = self.tidied(given)
        if given.strip() and not tidy.strip() and not self.allow_blank:
            self.fail("blank")
        return tidy


class Id(serializers.UUIDField):
    """A UUID as text; 1 is none."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=str(data)[:40])
        return super().to_internal_value(data)


class Prose(Text):
    """What a person typed, kept to the last space and line; it may be empty."""

    tidied = staticmethod(seen)

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, allow_blank=True, trim_whitespace=False, **kwargs)


class Url(Text):
    """An address; the services say whether an image is there."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_URL, **kwargs)


class Urls(serializers.ListField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Url(), max_length=MOST_REFERENCES, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "pattern": r"^-?\d+\.\d{2,}$", "example": "0.04"})
class Money(serializers.Field[Decimal, Any, str, Any]):
    """US dollars as an exact decimal string, at least two places: 0.04, 0.0000125."""

    def to_representation(self, value: Decimal) -> str:
        return money(value)


def money(amount: Decimal) -> str:
    whole, _, cents = f"{amount:f}".partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"


@extend_schema_field(OpenApiTypes.OBJECT)
class Facts(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """An open object of plain values, such as the facts behind a reason. Never read from a client."""

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return {camel(name): inner for name, inner in value.items()}


class ProblemSerializer(CamelSerializer):
    """RFC 9457 problem details. `code` is stable; `detail` says what happened, `action` what to do."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    action = serializers.CharField(required=False, allow_blank=True)
    instance = serializers.CharField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text="Only with 422"
    )
