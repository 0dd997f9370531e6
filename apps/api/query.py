"""What stands behind the question mark: known names, each once, whole numbers as one writes them."""

from rest_framework.request import Request

from apps.core.errors import Problem


def query_invalid(detail: str, action: str) -> Problem:
    return Problem(400, "query_invalid", detail, action)


def check_names(request: Request, known: frozenset[str]) -> None:
    """Raises a problem for a name that the operation does not know, and for one given twice: neither is dropped."""
    for name, values in request.query_params.lists():
        if name not in known:
            names = f"It knows {', '.join(sorted(known))}." if known else "It takes none."
            raise query_invalid(
                f"There is no parameter {name[:40]!r} here.", f"{names} Correct the name or leave it out."
            )
        if len(values) > 1:
            raise query_invalid(f"{name} is given {len(values)} times.", "Give it once.")


def whole_number(request: Request, name: str, *, most: int) -> int | None:
    """1 to `most`, written plainly: no sign, no leading zero; None when it is not given."""
    given = request.query_params.get(name, "")
    if not given:
        return None
    if given not in {str(number) for number in range(1, most + 1)}:
        raise query_invalid(f"{name} is not a number from 1 to {most}.", "Correct it or leave it out.")
    return int(given)
