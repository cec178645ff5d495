"""All that is known of a candidate on one page."""
