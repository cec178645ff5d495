from genointerp import plot as plot
from genointerp.annotation.annotation_set import AnnotationSet as AnnotationSet
from genointerp.annotation.catalogue import shipped as shipped
from genointerp.annotation.concepts import load_concepts as load_concepts
from genointerp.annotation.ranges import from_pyranges as from_pyranges
from genointerp.annotation.ranges import to_pyranges as to_pyranges
from genointerp.annotation.read import read_annotation as read_annotation
from genointerp.association.summary import best_per_concept as best_per_concept
from genointerp.command.ask.export import export as export
from genointerp.command.ask.motif import motif as motif
from genointerp.command.ask.query import query as query
from genointerp.command.ask.report import report as report
from genointerp.command.ask.serve import serve as serve
from genointerp.command.ask.summarise import summarise as summarise
from genointerp.command.ask.top import top as top
from genointerp.command.ask.verify import verify as verify
from genointerp.command.build.adopt import adopt as adopt
from genointerp.command.build.annotate import annotate as annotate
from genointerp.command.build.convert import convert as convert
from genointerp.command.build.encode import encode as encode
from genointerp.command.build.evaluate import evaluate as evaluate
from genointerp.command.build.harvest import harvest as harvest
from genointerp.command.build.train import train as train
from genointerp.command.build.tune import tune as tune
from genointerp.command.compare.across import across as across
from genointerp.command.compare.diff import diff as diff
from genointerp.command.compare.match import match as match
from genointerp.command.compare.similar import similar as similar
from genointerp.command.compare.twin import twin as twin
from genointerp.command.explain.circuit import circuit as circuit
from genointerp.command.explain.dependency import dependency as dependency
from genointerp.command.explain.edges import edges as edges
from genointerp.command.explain.explain import explain as explain
from genointerp.command.explain.mediate import mediate as mediate
from genointerp.command.explain.mutate import mutate as mutate
from genointerp.command.explain.trace import trace as trace
from genointerp.command.find.associate import associate as associate
from genointerp.command.find.backtest import backtest as backtest
from genointerp.command.find.dossier import dossier as dossier
from genointerp.command.find.label import label as label
from genointerp.command.find.rank import rank as rank
from genointerp.command.find.score import score as score
from genointerp.command.intervene.ablate import ablate as ablate
from genointerp.command.intervene.edit import edit as edit
from genointerp.command.intervene.paint import paint as paint
from genointerp.command.intervene.steer import steer as steer
from genointerp.command.start.demo import demo as demo
from genointerp.command.start.fetch import fetch as fetch
from genointerp.command.start.init import init as init
from genointerp.command.start.models import models as models
from genointerp.command.start.run import run as run
from genointerp.command.start.start import start as start
from genointerp.core.errors import GenointerpError as GenointerpError
from genointerp.core.version import __version__ as __version__
from genointerp.feature.gene_matrix import to_anndata as to_anndata
from genointerp.feature.query import base_activations as base_activations
from genointerp.feature.specimen import Specimen as Specimen
from genointerp.genome.genome import Genome as Genome
from genointerp.genome.interval import GenomicInterval as GenomicInterval
from genointerp.genome.interval import format_region as format_region
from genointerp.genome.interval import parse_region as parse_region
from genointerp.genome.read import read_genome as read_genome
from genointerp.intervention.canvas import Canvas as Canvas
from genointerp.intervention.canvas import Profile as Profile
from genointerp.intervention.canvas import Stroke as Stroke
from genointerp.labelling.hand import add_hand_label as add_hand_label
from genointerp.labelling.hand import hand_labels as hand_labels
from genointerp.labelling.hand import remove_hand_label as remove_hand_label
from genointerp.labelling.hand import replace_hand_label as replace_hand_label
from genointerp.labelling.hand import run_labels as run_labels
from genointerp.labelling.label import FeatureLabel as FeatureLabel
from genointerp.model.protocol import DnaModel as DnaModel
from genointerp.model.registry import load_model as load_model
from genointerp.page.run import Run as Run
from genointerp.page.run import open_run as open_run
from genointerp.sae.dictionary import Dictionary as Dictionary
from genointerp.store.activation.store import ActivationStore as ActivationStore
from genointerp.store.feature.store import FeatureStore as FeatureStore
from genointerp.store.table.arrow import to_arrow as to_arrow
from genointerp.store.table.arrow import to_polars as to_polars

__all__ = [
    "ActivationStore",
    "AnnotationSet",
    "Canvas",
    "Dictionary",
    "DnaModel",
    "FeatureLabel",
    "FeatureStore",
    "GenointerpError",
    "Genome",
    "GenomicInterval",
    "Profile",
    "Run",
    "Specimen",
    "Stroke",
    "ablate",
    "across",
    "add_hand_label",
    "adopt",
    "annotate",
    "associate",
    "backtest",
    "base_activations",
    "best_per_concept",
    "circuit",
    "convert",
    "demo",
    "dependency",
    "diff",
    "dossier",
    "edges",
    "edit",
    "encode",
    "evaluate",
    "explain",
    "export",
    "fetch",
    "format_region",
    "from_pyranges",
    "hand_labels",
    "harvest",
    "init",
    "label",
    "load_concepts",
    "load_model",
    "match",
    "mediate",
    "models",
    "motif",
    "mutate",
    "open_run",
    "paint",
    "parse_region",
    "plot",
    "query",
    "rank",
    "read_annotation",
    "read_genome",
    "remove_hand_label",
    "replace_hand_label",
    "report",
    "run",
    "run_labels",
    "score",
    "serve",
    "shipped",
    "similar",
    "start",
    "steer",
    "summarise",
    "to_anndata",
    "to_arrow",
    "to_polars",
    "to_pyranges",
    "top",
    "trace",
    "train",
    "tune",
    "twin",
    "verify",
]
