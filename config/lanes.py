"""What kinds of job there are: the one table from a kind's name to its lane, provider and handler.

`apps.jobs` knows a kind only as a string; it loads the handler named here when it runs one.
Lanes keep their own concurrency (settings.LANE_LIMITS) and their own Celery queue of the same name.
"""

from dataclasses import dataclass

LANES = ("prompts", "images", "listings", "visibility")


@dataclass(frozen=True)
class Kind:
    """`product` is whose money its calls are. `parks`: its handler gives the worker back while a provider works.

    `provider` is whom its jobs call when they do not say another. `ages`: who waits long gains priority. `reasons`: why a
    job of it may wait for a person. `quiet`: the live stream tells at most once a second that one of its subject moved.
    `attempt_seconds`: how long one attempt may last, where that is not the installation's usual time.
    """

    lane: str
    product: str
    handler: str
    provider: str = ""
    max_retries: int = 3
    parks: bool = False
    ages: bool = True
    quiet: bool = False
    reasons: tuple[str, ...] = ()
    attempt_seconds: float | None = None


KINDS = {
    "prompt": Kind(
        lane="prompts", product="studio", provider="xai", handler="apps.studio.handlers.prompts.PromptHandler"
    ),
    "image": Kind(
        lane="images",
        product="studio",
        provider="wavespeed",
        handler="apps.studio.handlers.images.ImageHandler",
        parks=True,
        reasons=("needs_prompt",),
    ),
    "pack": Kind(lane="listings", product="listings", handler="apps.listings.handlers.pack.PackHandler"),
    "cutout": Kind(
        lane="listings", product="listings", provider="removebg", handler="apps.listings.handlers.cutout.CutoutHandler"
    ),
    "picture": Kind(lane="listings", product="listings", handler="apps.listings.handlers.picture.PictureHandler"),
    "scene": Kind(
        lane="listings",
        product="listings",
        provider="openai",
        handler="apps.listings.handlers.scene.SceneHandler",
        attempt_seconds=340,  # an edit may take 300
    ),
    "aplus": Kind(
        lane="listings",
        product="listings",
        provider="gemini",
        handler="apps.listings.handlers.aplus.APlusHandler",
        attempt_seconds=600,  # two answers, and a scene
    ),
    "export": Kind(lane="listings", product="listings", handler="apps.listings.handlers.export.ExportHandler"),
    "noop": Kind(lane="listings", product="", handler="apps.jobs.noop.NoopHandler"),
}
