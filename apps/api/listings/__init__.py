"""The API of Listings."""
