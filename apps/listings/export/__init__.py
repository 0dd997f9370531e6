"""A product's images as one ZIP for a marketplace, the same bytes each time it is asked for."""
