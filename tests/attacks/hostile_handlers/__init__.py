"""Commands whose handlers raise, block, hang, or end the process: what an application's package may hold."""
