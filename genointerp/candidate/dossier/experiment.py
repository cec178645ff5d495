"""Proposals for what a laboratory would test next, one per class of pattern."""

EXPERIMENTS: dict[str, str] = {
    "point": (
        "A site. Exchange the peak base and each of its ten neighbours at three loci, in the model "
        "first (does the activation vanish, does the loss rise?). Then put one locus in front of a "
        "reporter, once as it is and once with the base that matters most exchanged, and compare "
        "expression."
    ),
    "periodic": (
        "A phase. Insert one base, then a whole period, upstream in a translational fusion: a "
        "reading frame is lost by the first and kept by the second. Ribosome profiling at the loci "
        "says whether they are translated; a period near 10.5 bp points to the helix instead, and "
        "to binding or bending assays."
    ),
    "boundary": (
        "A border. Align its loci with the ends of the elements (`genointerp plot metagene`) and "
        "ask "
        "what begins or stops there: a transcript, a reading frame, a processed RNA. Map the ends "
        "of the RNA at three loci (5' and 3' RACE, Term-seq). Then insert ten bases before the "
        "border "
        "(in the model first: does the activation move with it?): does the end of the RNA move?"
    ),
    "motif": (
        "A word. Make a labelled probe of the consensus of the logo and one with its strongest "
        "columns exchanged; ask for binding in an extract (gel shift, pull-down with mass "
        "spectrometry). Then exchange the same columns in front of a "
        "reporter, at two loci."
    ),
    "element-long": (
        "An element. Ask whether it is transcribed, on which strand (Northern blot or strand-"
        "specific RT-PCR with a probe inside the locus), and whether it is processed. Then delete "
        "it without touching its neighbours, and measure growth and the transcripts next to it."
    ),
    "window artefact": (
        "Nothing to test in a laboratory. Harvest again with windows that begin elsewhere: what "
        "moves "
        "with the windows is an artefact of reading."
    ),
    "diffuse": (
        "No site that could be tested yet. Look at the strongest loci with a higher threshold, and "
        "at other genomes; if nothing sharper emerges, the feature reflects composition or a whole "
        "region."
    ),
}
"""Proposals by the value of the column ``pattern`` of candidates."""

UNKNOWN = "The pattern of its firing was not measured, so no experiment can be proposed."


def propose(pattern: str) -> str:
    """Return what to test for a class of pattern; for an unknown class, `UNKNOWN`."""
    return EXPERIMENTS.get(pattern, UNKNOWN)
