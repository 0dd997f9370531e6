"""What a style lays under a table or a drawing: quieter than under an infographic, and as much its own."""

from apps.listings.drawing.layouts.stage import Stage
from apps.listings.drawing.plans import Box, Shape
from apps.listings.drawing.styles import BOLD, COLORFUL, LIFESTYLE, TECHY


def dress(stage: Stage) -> None:
    look = stage.look
    if look.style == BOLD:
        stage.draw(Shape("polygon", look.others[0], points=((0, 1150), (2000, 725), (2000, 2000), (0, 2000))))
    elif look.style == LIFESTYLE:
        stage.draw(Shape("ellipse", look.others[0], box=Box(-200, 200, 1500, 1900), opacity=0.7, blur=60))
    elif look.style == TECHY:
        stage.draw(Shape("dots", look.others[0], box=Box(0, 0, 2000, 2000), width=40))
    elif look.style == COLORFUL:
        stage.draw(
            Shape("ellipse", look.others[0], box=Box(-500, -500, 700, 700)),
            Shape("ellipse", look.others[1], box=Box(1300, 1300, 2500, 2500)),
        )
