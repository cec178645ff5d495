"""All schemas by the name of their format."""

from genointerp.store.table.schema.association import (
    ASSOCIATIONS,
    BASELINES,
    BESIDE,
    BEST_PER_CONCEPT,
    CURVES,
    METAGENE,
    SIDES,
)
from genointerp.store.table.schema.candidate import (
    ABLATION,
    BACKTEST,
    BACKTEST_FEATURES,
    CANDIDATES,
    LOCUS_EVIDENCE,
)
from genointerp.store.table.schema.changed import (
    ACTIVATION_DIFFERENCE,
    BIRTHS,
    CHANGED_CONCEPTS,
    CHANGED_FEATURES,
    WEIGHT_CHANGE,
)
from genointerp.store.table.schema.circuit import (
    CIRCUIT_FAMILIES,
    CIRCUIT_MEMBERS,
    COACTIVATION,
    COACTIVATION_LAGS,
    SUCCESSIONS,
)
from genointerp.store.table.schema.divergence import (
    DIVERGENCE,
    DIVERGENCE_BINS,
    DIVERGENCE_SUMMARY,
    DIVERGENCE_TAIL,
    EXTRACTED_TEXTS,
)
from genointerp.store.table.schema.edge import EDGE_TARGETS, EDGES, MEDIATION
from genointerp.store.table.schema.editing import EDIT_EFFECTS, EDIT_FEATURES, EDIT_WRITING
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION
from genointerp.store.table.schema.feature import (
    ELEMENTS,
    FEATURE_CONCEPTS,
    FEATURE_MAP,
    FEATURE_SUMMARY,
    FEATURES,
    HISTOGRAM,
    LOCI,
    MOTIF,
    NEAREST_FEATURES,
    QUERY,
    READ_CONTIGS,
    RUN_FILES,
    TOP_LOCI,
)
from genointerp.store.table.schema.intervention import (
    CANVAS,
    DESIGNS,
    PAINTING,
    PROFILES,
    STEERED_BASES,
    STEERING,
)
from genointerp.store.table.schema.label import (
    JUDGED_SCORES,
    JUDGED_SUMMARY,
    LABEL_KINDS,
    LABEL_REQUESTS,
    LABEL_SCORES,
    LABEL_SUMMARY,
    LABELS,
)
from genointerp.store.table.schema.latents import DIFFERENCE_LATENTS, LATENTS, STAGES
from genointerp.store.table.schema.matching import (
    ACROSS,
    ACROSS_SUMMARY,
    FEATURE_MATCHES,
    MATCH_SUMMARY,
    MATCHES,
)
from genointerp.store.table.schema.mutagenesis import CHAIN, DEPENDENCY, EXPLAINING_BASES
from genointerp.store.table.schema.similarity import SIMILARITY

SCHEMAS = {
    schema.format: schema
    for schema in (
        ELEMENTS,
        SIDES,
        ASSOCIATIONS,
        BEST_PER_CONCEPT,
        CANDIDATES,
        QUERY,
        LOCI,
        FEATURES,
        TOP_LOCI,
        MOTIF,
        LOCUS_EVIDENCE,
        BASELINES,
        BACKTEST,
        BACKTEST_FEATURES,
        FEATURE_SUMMARY,
        FEATURE_CONCEPTS,
        HISTOGRAM,
        NEAREST_FEATURES,
        FEATURE_MAP,
        CURVES,
        METAGENE,
        READ_CONTIGS,
        RUN_FILES,
        BESIDE,
        ABLATION,
        CANVAS,
        PROFILES,
        STEERING,
        STEERED_BASES,
        DESIGNS,
        PAINTING,
        EDIT_EFFECTS,
        EDIT_FEATURES,
        EDIT_WRITING,
        COACTIVATION,
        COACTIVATION_LAGS,
        CIRCUIT_FAMILIES,
        CIRCUIT_MEMBERS,
        SUCCESSIONS,
        EXPLANATION,
        EXPLAINED,
        EXPLAINING_BASES,
        CHAIN,
        DEPENDENCY,
        EDGES,
        EDGE_TARGETS,
        MEDIATION,
        LABELS,
        LABEL_REQUESTS,
        LABEL_SCORES,
        LABEL_KINDS,
        LABEL_SUMMARY,
        FEATURE_MATCHES,
        JUDGED_SCORES,
        JUDGED_SUMMARY,
        MATCHES,
        MATCH_SUMMARY,
        ACROSS,
        ACROSS_SUMMARY,
        SIMILARITY,
        DIVERGENCE,
        DIVERGENCE_SUMMARY,
        DIVERGENCE_TAIL,
        DIVERGENCE_BINS,
        EXTRACTED_TEXTS,
        CHANGED_FEATURES,
        CHANGED_CONCEPTS,
        BIRTHS,
        WEIGHT_CHANGE,
        ACTIVATION_DIFFERENCE,
        LATENTS,
        DIFFERENCE_LATENTS,
        STAGES,
    )
}
