"""What each BPMN element does, one class an element; `table` lists them all.

A new element is a class in the folder of its kind, and its line in the table.
"""
