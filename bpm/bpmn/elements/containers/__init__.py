"""Elements with an inside of their own: sub-processes, called processes and repeated activities."""
