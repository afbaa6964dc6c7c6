"""Forms of user tasks, as Camunda's modeller writes them (JSON): what each field may be given.

    form = read_form(text)                       raises InvalidDefinition with every problem
    problems(form, given, seen)                  -> sentences that name the field

Clients draw a form; here it is only read for what it asks of the values that come back.
"""

from bpm.forms.check import problems
from bpm.forms.form import Form, FormField
from bpm.forms.reader import read_form

__all__ = ["Form", "FormField", "problems", "read_form"]
