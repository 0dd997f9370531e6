"""What the jobs of Listings do and wait for, beside what the engine says of every job (apps/jobs/states.py)."""

WAITING_FOR_CUTOUT = "waiting_for_cutout"
CUTTING_OUT = "cutting_out"
PAINTING = "painting"
DRAWING = "drawing"
MEASURING = "measuring"
WRITING_TEXTS = "writing_texts"
CHECKING_TEXTS = "checking_texts"
