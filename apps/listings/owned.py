"""Finding what somebody works with: their own, staff too. Anything else does not exist (Problem 404)."""

from uuid import UUID

from apps.accounts.models import User
from apps.core.errors import Problem, not_found
from apps.jobs.values import Failure
from apps.listings.models import BrandKit, ListingImage, Pack, Project, SourcePhoto

PROJECT_GONE = Failure("project_gone", "The project of this job was deleted.", "Make a new project.")


def find_project(user: User, project_id: UUID) -> Project:
    project = Project.objects.filter(pk=project_id, owner=user).select_related("brand_kit").first()
    if project is None:
        raise not_found("project")
    return project


def find_photo(project: Project, photo_id: UUID) -> SourcePhoto:
    photo = SourcePhoto.objects.filter(pk=photo_id, project=project).select_related("asset").first()
    if photo is None:
        raise not_found("photo")
    return photo


def find_pack(project: Project, pack_id: UUID) -> Pack:
    pack = Pack.objects.filter(pk=pack_id, project=project).first()
    if pack is None:
        raise not_found("pack")
    return pack


def find_listing_image(project: Project, image_id: UUID) -> ListingImage:
    image = ListingImage.objects.filter(pk=image_id, project=project, late=False).first()
    if image is None:
        raise Problem(404, "version_not_found", "There is no such version of an image.", "Load the project again.")
    return image


def find_kit(user: User, kit_id: UUID) -> BrandKit:
    kit = BrandKit.objects.filter(pk=kit_id, owner=user).first()
    if kit is None:
        raise not_found("brand kit")
    return kit


def hold_project(project_id: UUID | None) -> bool:
    """Keeps the project until the transaction ends; False when it is being deleted, or is gone (studio/owned.py)."""
    held = "SELECT id FROM listings_project WHERE id = %s AND gone_at IS NULL FOR KEY SHARE"
    return project_id is not None and bool(list(Project.objects.raw(held, [project_id])))


def no_place() -> Problem:
    return Problem(409, PROJECT_GONE.code, PROJECT_GONE.message, PROJECT_GONE.action)


def subject_of(project_id: UUID | None) -> str:
    return f"project:{project_id}"
