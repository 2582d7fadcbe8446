"""What goes on after the answer: jobs and endpoints as states and transitions. Knows no HTTP."""
