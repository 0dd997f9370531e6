"""Images that we draw ourselves: the cut-out on white, and facts in type and lines. They cost nothing."""

from dataclasses import replace

import numpy as np

from apps.core.errors import Problem
from apps.jobs.handlers import Run
from apps.listings import facts
from apps.listings.cutouts import standing
from apps.listings.drawing.callouts import callouts_of
from apps.listings.drawing.layouts.comparison import Column, comparison, rows_of
from apps.listings.drawing.layouts.dimensions import dimensions
from apps.listings.drawing.layouts.infographic import infographic
from apps.listings.drawing.painting import painted
from apps.listings.drawing.plans import Plan, mirrored
from apps.listings.drawing.typesetting import reads_from_right
from apps.listings.handlers.image import ImageHandler
from apps.listings.handlers.making import Work, finished, matte_of, refused
from apps.listings.imaging import files
from apps.listings.imaging.compose import main_image, on_white
from apps.listings.imaging.matte import Matte
from apps.listings.keeping import Made
from apps.listings.models import ImageType
from apps.listings.photos import first_photo
from apps.listings.requirements import range_of
from apps.listings.stages import DRAWING

MOST_CALLOUTS = 5


class PictureHandler(ImageHandler):
    def make(self, run: Run, work: Work) -> Made:
        run.stage(DRAWING)
        if work.is_main:
            return _main(work)
        try:
            plan, mattes = _planned(work)
        except Problem as problem:
            raise refused(problem) from problem
        locale = work.project.locale
        picture = painted(plan, mattes, locale=locale)
        return finished(work, picture, source_type=files.COMPOSITE, quality=92, plan=plan.as_json())


def _main(work: Work) -> Made:
    shown = main_image(work.matte)
    picture = on_white(shown)
    plan = {"box": list(shown.box), "scale": round(shown.scale, 3), "shadow": False}
    return finished(work, picture, source_type=files.ENHANCED, quality=95, mask=shown.mask, plan=plan)


def _planned(work: Work) -> tuple[Plan, list[Matte]]:
    """What is drawn, and the cut-outs that stand in it. Problem 422 for words that do not fit."""
    locale, look, mattes = work.project.locale, work.look, [work.matte]
    if work.order.image_type == ImageType.INFOGRAPHIC:
        said = facts.for_callouts(work.facts, locale)
        plan = infographic(work.matte, work.headline, callouts_of(said, most=MOST_CALLOUTS), look=look, locale=locale)
    elif work.order.image_type == ImageType.COMPARISON:
        columns, labels = _columns(work)
        plan = comparison(columns, rows_of(columns, labels), look=look, locale=locale)
        mattes = [column.matte for column in columns if column.matte]
    else:
        plan = dimensions(work.matte, facts.measures(work.facts, locale), "", look=look, locale=locale)
    return (mirrored(plan) if _from_right(plan) else plan), mattes


def _columns(work: Work) -> tuple[list[Column], list[str]]:
    """The own product first. Another one's picture is its cut-out, where one was made already: none is bought for a chart."""
    columns, labels = [], []
    for place, each in enumerate(range_of(work.project)):
        photo = first_photo(each.project)
        cutout = standing(each.project.owner_id, photo.asset) if photo else None
        matte = work.matte if place == 0 else (matte_of(cutout) if cutout else None)
        columns.append(Column(each.name, each.values, matte))
        labels += [label for label in each.values if label not in labels]
    if not all(column.matte is not None for column in columns):
        columns = [replace(column, matte=None) for column in columns]
    return columns, labels


def _from_right(plan: Plan) -> bool:
    """By what most of its words say: a name in Latin letters does not turn an Arabic page."""
    told = [reads_from_right(words.text) for words in plan.words if any(letter.isalpha() for letter in words.text)]
    return bool(told) and float(np.mean(told)) > 0.5
