"""What can be taken away: JSON, CSV, the lines of a notebook, an offline page, the code behind a figure."""
