"""How each kind of image is laid out, in each style."""
