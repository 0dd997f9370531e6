"""The prompt that Pressroom writes itself, from what the row holds, when no model can."""

from apps.studio.models import PromptJob, Workspace

OPENING = "A carefully composed photograph"


def from_template(prompt_job: PromptJob, workspace: Workspace | None) -> str:
    """A plain prompt: the subjects of the references in the scene of the target, with what people wrote."""
    references = len(prompt_job.ref_urls)
    subject = "the subject of the reference picture" if references == 1 else "the subjects of the reference pictures"
    opening = (
        f"{OPENING} of {subject}, set in the scene of the last picture"
        if references
        else f"{OPENING} of the scene shown"
    )
    wishes = [
        text.strip().rstrip(".") for text in (prompt_job.existing_prompt, prompt_job.instructions) if text.strip()
    ]
    if not wishes and workspace and workspace.default_prompt:
        wishes = [workspace.default_prompt.strip().rstrip(".")]
    sentences = [
        opening,
        *wishes,
        "Keep its composition and light; natural colours, sharp detail, one coherent picture",
    ]
    return ". ".join(sentences)[:1190] + "."
