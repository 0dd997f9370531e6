"""The providers' wire protocols on a local port, for development, tests and demos.

Six are spoken: xAI, WaveSpeed, OpenAI, remove.bg, OpenRouter and Gemini.

Start it with `manage.py simulator` or, without Django, `python -m apps.simulator --port 8190`. Keys that start with
`sim-` (or are `simulator`) are accepted. Nothing in here imports another of our apps.

Magic words, in a prompt or a model name, need no control call (each also as `…x2`: only the first two calls that
carry the same prompt misbehave, so that a retry can succeed):

| word | what happens |
|---|---|
| `sim-429`, `sim-500`, `sim-503` … | the call is answered with that HTTP status |
| `sim-slow-30` | 30 s more than usual |
| `sim-moderated` | xAI: 403 "Content violates usage guidelines"; WaveSpeed: the task fails with code 1200 |
| `sim-fail-1403` | WaveSpeed: the task fails with that code |
| `sim-credits` | the account is out of money |
| `sim-html` | a 502 page in HTML |
| `sim-drop` | the connection is reset before anything is done |
| `sim-lost` | everything is done, then the connection is reset before the reply |
| `sim-timeout` | no reply ever comes |
| `sim-refusal`, `sim-empty`, `sim-markdown`, `sim-length` | chat: the answer refuses, is empty, markdown, cut short |
| `sim-nsfw` | WaveSpeed: the finished task is flagged |
| `sim-expired` | WaveSpeed: the output address answers 404 |
"""
