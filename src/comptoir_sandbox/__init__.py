"""A pretend Stripe that keeps state: for trying out, for development, and for tests that hurt.

It stands alone: it imports nothing of `comptoir`, and `comptoir` nothing of it; they meet over HTTP
only, through Stripe's own SDK. Shapes are those of the API version below. It refuses what the real
one refuses as far as it knows it; what it does not know it refuses too, rather than to guess.

`python -m comptoir_sandbox --help` says how to start it.
"""

API_VERSION = "2026-10-28.endive"
