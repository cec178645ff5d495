"""Commands that ask: regions, loci, motifs, tracks, reports."""
