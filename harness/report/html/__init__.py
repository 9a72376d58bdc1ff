"""report.html: the run for people, in one file that needs nothing else (`page.page`)."""
