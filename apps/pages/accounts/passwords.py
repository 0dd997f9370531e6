"""The form that changes one's own password."""

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest

from apps.accounts.backend import SignInRefused


class PasswordForm(forms.Form):
    """The old password is judged as at the sign-in: whoever finds a browser open may not guess it either."""

    old = forms.CharField(max_length=4096, strip=False, error_messages={"required": "Type the password you have now."})
    new = forms.CharField(max_length=4096, strip=False, error_messages={"required": "Type a new one."})
    again = forms.CharField(max_length=4096, strip=False, error_messages={"required": "Type the new one again."})
    revoke_tokens = forms.BooleanField(required=False)

    def __init__(self, request: HttpRequest, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.request = request
        self.refused: SignInRefused | None = None

    @property
    def status(self) -> int:
        """Of an answer that shows what is wrong with it."""
        if self.refused:
            return 503 if self.refused.busy else 429
        return 422

    def clean_new(self) -> str:
        validate_password(self.cleaned_data["new"], self.request.user)  # type: ignore[arg-type]
        return str(self.cleaned_data["new"])

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        if "again" in given and "new" in given and given["again"] != given["new"]:
            self.add_error("again", "The two new ones are not the same.")
        if not self.errors:
            self._judge_old()
        return given

    def _judge_old(self) -> None:
        name = self.request.user.get_username()
        try:
            right = authenticate(self.request, username=name, password=self.cleaned_data["old"])
        except SignInRefused as refused:
            self.refuse(refused)
        else:
            if right is None:
                self.add_error("old", "That is not your password.")

    def refuse(self, refused: SignInRefused) -> None:
        self.refused = refused
        reason = "Many people are signing in just now." if refused.busy else "Too many wrong passwords."
        self.add_error("old", f"{reason} Try again {refused.words}.")
