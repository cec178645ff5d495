"""Features of a genome: encoding, statistics, loci, region queries and export."""
