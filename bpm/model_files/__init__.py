"""What BPMN and DMN files share: the reader of untrusted XML, and the list of problems that refuses a file."""
