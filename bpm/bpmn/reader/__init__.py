"""A BPMN file read into values: what each part of it is, beside how it is read."""
