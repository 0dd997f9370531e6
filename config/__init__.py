"""Configuration of Pressroom: settings, lanes, schedule, routes."""

from apps.launch.surroundings import forget_other_projects, forget_other_tools

forget_other_projects()  # before Django is imported, and before Celery reads its variables
forget_other_tools()

from config.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
