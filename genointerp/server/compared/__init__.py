"""What the comparisons of a run say, as pages and answers: nothing is computed anew."""
