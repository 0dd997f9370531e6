"""A file goes when no row names it: at once with the asset that was deleted, and by an hourly walk over all folders.

Which rows name files is not listed here: every file field of every model counts.

The race, between the sweeper S and an uploader U who brings the very content that S found unnamed. U writes the file,
or touches the one that is there, before its row names it. S takes the file out of its place first and only then looks
at the rows again, and puts it back when one names it or when it was touched less than an hour ago. So, if U came

- before S took the file: it is young, and S puts it back;
- after: U finds no file and writes it anew.

`remove_now` asks for no age, since what was uploaded a minute ago shall go as well. So whoever stores a picture looks
after the commit of its row whether the files are still there, and writes them again if not (`library._kept`):
U's commit comes before U's look. If S took the file after that look, S sees the row, for it looks later.
A crash of S in between leaves a file aside, and the next walk puts it back.
"""

import os
import random
import time
from collections.abc import Collection, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import structlog
from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from apps.assets import storage

log = structlog.get_logger(__name__)

FOLDERS = ("assets", "images", "thumbnails")
YOUNG_SECONDS = 3600.0  # an attempt ends long before: whatever wrote a file has named it by then, or never will
RUN_SECONDS = 20.0
BATCH = 500


def remove_now(paths: Collection[str]) -> None:
    """Removes those of the files that no row names, once what the caller has changed is committed."""
    transaction.on_commit(partial(_remove, list(paths), older_than=0.0))


def sweep(*, seconds: float = RUN_SECONDS) -> int:
    """Walks over the folders, in another order each time, for so long; answers how many files went."""
    ends = time.monotonic() + seconds
    folders = [folder for name in FOLDERS for folder in (Path(settings.MEDIA_ROOT) / name).glob("??")]
    random.shuffle(folders)
    removed = 0
    for folder in folders:
        if time.monotonic() > ends:
            break
        files = _old_files(folder)
        while paths := list(islice(files, BATCH)):
            removed += _remove(paths, older_than=YOUNG_SECONDS)
    if removed:
        log.info("files_removed", count=removed)
    return removed


def named(paths: Collection[str]) -> set[str]:
    """Those of the paths that a row of any model names."""
    found: set[str] = set()
    for model, field in _file_fields():
        # The base manager: one that leaves out what is being deleted would have its files removed before it is gone.
        found.update(model._base_manager.filter(**{f"{field}__in": paths}).values_list(field, flat=True))
    return found


def _remove(paths: Collection[str], *, older_than: float) -> int:
    unnamed = set(paths) - named(paths)  # looked at first, so that a file in use is not even moved
    taken = [path for path in unnamed if storage.set_aside(path)]
    needed = named(taken) if taken else set()
    removed = 0
    for path in taken:
        if path in needed or storage.age_aside(path) < older_than:
            storage.put_back(path)
        else:
            storage.remove_aside(path)
            removed += 1
    return removed


def _old_files(folder: Path) -> Iterator[str]:
    """The files below it that are old enough to go, as rows name them; what crashes left is tidied on the way."""
    root = str(settings.MEDIA_ROOT)
    for inside, _, names in os.walk(folder):
        for name in names:
            path = Path(inside, name)
            try:
                old = time.time() - path.stat().st_mtime > YOUNG_SECONDS
            except FileNotFoundError:
                continue
            if not old:
                continue
            if name.startswith(storage.NEW):
                path.unlink(missing_ok=True)
            elif name.startswith(storage.ASIDE):
                storage.put_back(os.path.relpath(path.with_name(name.removeprefix(storage.ASIDE)), root))
            else:
                yield os.path.relpath(path, root)


def _file_fields() -> list[tuple[type[models.Model], str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.FileField)
    ]
