"""WaveSpeed makes the pictures: submit, poll or be called, fetch. Wire facts: wavespeed.ai/docs."""
