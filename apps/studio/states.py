"""Why and where a job of Studio's waits, beside what the engine says of every job (apps/jobs/states.py)."""

# A reason: no model could write the prompt, so a person must type one.
NEEDS_PROMPT = "needs_prompt"

# Stages.
WAITING_FOR_PROMPT = "waiting_for_prompt"
WRITING = "writing"
