"""What every HTTP address shares: the request as it is read, the error boundary, the answer and how it is sent.

`bpm.web` and `router` stand on it. It knows no message, no table and no route.
"""
