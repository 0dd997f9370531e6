"""Images with words that we draw ourselves. Two passes: a plan (boxes, sizes, lines: pure, kept as JSON), then the picture."""
