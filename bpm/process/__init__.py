"""Durable process instances: their rows, waits, jobs, timers and starts; `bpm.bpmn` says what each step does."""
