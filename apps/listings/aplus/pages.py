"""An A+ page as we keep it: modules in their order, each with its texts, lists, tables and pictures by the field's name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apps.listings.aplus.modules import ALT_LEAST, ALT_TEXT, LIST_MOST, MODULES, MOST_MODULES, Module, Text

Page = Sequence[dict[str, Any]]
"""Each: {id, type, texts: {name: str | [str]}, pictures: {name: {path, phonePath, width, height}}, rows, columns, options}."""

HARDEST = 10_000  # characters of any text, in Amazon's model


@dataclass(frozen=True)
class Fault:
    """What keeps a page from being taken. `pointer` names the field as RFC 6901 does; `limit` and `measured` are counts."""

    pointer: str
    code: str
    message: str
    limit: int | None = None
    measured: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "pointer": self.pointer,
            "code": self.code,
            "message": self.message,
            "limit": self.limit,
            "measured": self.measured,
        }


def texts_of(page: Page) -> Iterator[tuple[str, str]]:
    """Every sentence that a customer reads, with the pointer to its field."""
    for place, module in enumerate(page):
        for name, value in (module.get("texts") or {}).items():
            if isinstance(value, list):
                yield from ((f"/{place}/texts/{name}/{index}", str(line)) for index, line in enumerate(value))
            else:
                yield f"/{place}/texts/{name}", str(value)


def faults_of(page: Page) -> list[Fault]:
    """Counts, lengths and what is missing, as the document will be judged. Empty: it can be exported."""
    faults = []
    if not page:
        faults.append(Fault("", "empty", "There is no module yet. Add one.", 1, 0))
    if len(page) > MOST_MODULES:
        said = f"{len(page)} modules are too many: Amazon refuses more than {MOST_MODULES}."
        faults.append(Fault("", "too_many_modules", said, MOST_MODULES, len(page)))
    kinds = {MODULES[module["type"]].premium for module in page if module.get("type") in MODULES}
    if len(kinds) > 1:
        faults.append(Fault("", "mixed", "A page is wholly standard or wholly premium.", None, None))
    alts: dict[str, str] = {}
    for place, module in enumerate(page):
        known = MODULES.get(str(module.get("type")))
        if known is None:
            faults.append(Fault(f"/{place}/type", "unknown_module", f"There is no module “{module.get('type')}”."))
            continue
        faults += _texts(place, module, known) + _pictures(place, module, known, alts) + _tables(place, module, known)
    return faults


def _texts(place: int, module: dict[str, Any], known: Module) -> list[Fault]:
    texts, faults = module.get("texts") or {}, []
    named = {text.name for text in known.texts} | {picture.alt for picture in known.pictures}
    for name in texts:
        if name not in named:
            faults.append(Fault(f"/{place}/texts/{name}", "unknown_field", f"{known.title} has no field “{name}”."))
    for text in known.texts:
        value, pointer = texts.get(text.name), f"/{place}/texts/{text.name}"
        if text.items:
            faults += _list(pointer, value or [], text)
        elif not isinstance(value or "", str):
            faults.append(Fault(pointer, "not_text", f"{_title(text.name)} must be text."))
        elif text.required and not str(value or "").strip():
            faults.append(Fault(pointer, "missing", f"{_title(text.name)} is empty.", 1, 0))
        elif len(str(value or "")) > text.most:
            faults.append(_too_long(pointer, str(value), text.most, _title(text.name)))
    return faults


def _list(pointer: str, value: Any, text: Text) -> list[Fault]:
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        return [Fault(pointer, "not_a_list", f"{_title(text.name)} must be a list of lines.")]
    faults = []
    most = min(text.items, LIST_MOST)
    if len(value) > most:
        faults.append(Fault(pointer, "too_many", f"{_title(text.name)} has {len(value)} lines.", most, len(value)))
    for index, line in enumerate(value):
        if len(line) > text.most:
            faults.append(_too_long(f"{pointer}/{index}", line, text.most, f"Line {index + 1}"))
        if not line.strip():
            faults.append(Fault(f"{pointer}/{index}", "missing", f"Line {index + 1} is empty.", 1, 0))
    return faults


def _pictures(place: int, module: dict[str, Any], known: Module, alts: dict[str, str]) -> list[Fault]:
    faults = []
    texts, pictures = module.get("texts") or {}, module.get("pictures") or {}
    for picture in known.pictures:
        pointer = f"/{place}/texts/{picture.alt}"
        alt = str(texts.get(picture.alt) or "").strip()
        if not pictures.get(picture.name):
            said = f"The picture of {picture.width} × {picture.height} px is missing."
            faults.append(Fault(f"/{place}/pictures/{picture.name}", "picture_missing", said))
        if not alt:
            faults.append(Fault(pointer, "missing", "The text for those who cannot see the picture is missing.", 1, 0))
        elif len(alt) > ALT_TEXT:
            faults.append(_too_long(pointer, alt, ALT_TEXT, "The alternative text"))
        elif len(alt) < ALT_LEAST:
            said = "The alternative text is too short to describe the picture."
            faults.append(Fault(pointer, "too_short", said, ALT_LEAST, len(alt)))
        elif alt.casefold() in alts:
            faults.append(Fault(pointer, "same_alt", "Another picture has the same alternative text."))
        alts.setdefault(alt.casefold(), pointer)
    return faults


def _tables(place: int, module: dict[str, Any], known: Module) -> list[Fault]:
    if known.table == "specs":
        rows = module.get("rows") or []
        if not 4 <= len(rows) <= 16:
            return [Fault(f"/{place}/rows", "rows", f"{len(rows)} rows; 4 to 16 are needed.", 16, len(rows))]
    if known.table == "comparison":
        columns = module.get("columns") or []
        if not 2 <= len(columns) <= 6:
            return [
                Fault(f"/{place}/columns", "columns", f"{len(columns)} products; 2 to 6 are needed.", 6, len(columns))
            ]
    return []


def _too_long(pointer: str, value: str, most: int, what: str) -> Fault:
    return Fault(pointer, "too_long", f"{what} has {len(value)} characters; {most} are the most.", most, len(value))


def _title(name: str) -> str:
    words = name.replace(".", " ").replace("items", "list")
    return words[:1].upper() + words[1:]
