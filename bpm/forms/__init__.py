"""Forms of user tasks, as Camunda's modeller writes them (JSON): what each field may be given.

    form = read_form(text)                       raises InvalidDefinition with every problem
    problems(form, given, seen, now)             -> sentences that name the field
    shown_fields(form, given, seen, now)         -> what is shown, locked, required, and may be chosen

Clients draw a form; here it is read for what it asks of the values that come back, and of which it shows what.
"""

from bpm.forms.check import problems
from bpm.forms.form import Form, FormField
from bpm.forms.reader import read_form
from bpm.forms.shown import Option, ShownField, shown_fields

__all__ = ["Form", "FormField", "Option", "ShownField", "problems", "read_form", "shown_fields"]
