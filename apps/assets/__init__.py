"""Uploads, fetching of remote images, thumbnails, storage."""
