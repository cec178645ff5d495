from genointerp import plot as plot
from genointerp.annotation.annotation_set import AnnotationSet as AnnotationSet
from genointerp.annotation.catalogue import shipped as shipped
from genointerp.annotation.concepts import define_elements as define_elements
from genointerp.annotation.concepts import load_concepts as load_concepts
from genointerp.annotation.ranges import from_pyranges as from_pyranges
from genointerp.annotation.ranges import to_pyranges as to_pyranges
from genointerp.annotation.read import read_annotation as read_annotation
from genointerp.command.ablate import ablate as ablate
from genointerp.command.adopt import adopt as adopt
from genointerp.command.annotate import annotate as annotate
from genointerp.command.associate import associate as associate
from genointerp.command.backtest import backtest as backtest
from genointerp.command.convert import convert as convert
from genointerp.command.demo import demo as demo
from genointerp.command.dossier import dossier as dossier
from genointerp.command.encode import encode as encode
from genointerp.command.evaluate import evaluate as evaluate
from genointerp.command.export import export as export
from genointerp.command.fetch import fetch as fetch
from genointerp.command.harvest import harvest as harvest
from genointerp.command.models import models as models
from genointerp.command.motif import motif as motif
from genointerp.command.query import query as query
from genointerp.command.rank import rank as rank
from genointerp.command.report import report as report
from genointerp.command.run import run as run
from genointerp.command.summarise import summarise as summarise
from genointerp.command.top import top as top
from genointerp.command.train import train as train
from genointerp.command.verify import verify as verify
from genointerp.core.errors import GenointerpError as GenointerpError
from genointerp.core.version import __version__ as __version__
from genointerp.genome.genome import Genome as Genome
from genointerp.genome.interval import GenomicInterval as GenomicInterval
from genointerp.genome.interval import format_region as format_region
from genointerp.genome.interval import parse_region as parse_region
from genointerp.genome.read import read_genome as read_genome
from genointerp.model.protocol import DnaModel as DnaModel
from genointerp.model.registry import load_model as load_model
from genointerp.page.run import Run as Run
from genointerp.page.run import open_run as open_run
from genointerp.sae.dictionary import Dictionary as Dictionary
from genointerp.store.activation.store import ActivationStore as ActivationStore
from genointerp.store.feature.store import FeatureStore as FeatureStore

__all__ = [
    "ActivationStore",
    "AnnotationSet",
    "Dictionary",
    "DnaModel",
    "FeatureStore",
    "GenointerpError",
    "Genome",
    "GenomicInterval",
    "Run",
    "ablate",
    "adopt",
    "annotate",
    "associate",
    "backtest",
    "convert",
    "define_elements",
    "demo",
    "dossier",
    "encode",
    "evaluate",
    "export",
    "fetch",
    "format_region",
    "from_pyranges",
    "harvest",
    "load_concepts",
    "load_model",
    "models",
    "motif",
    "open_run",
    "parse_region",
    "plot",
    "query",
    "rank",
    "read_annotation",
    "read_genome",
    "report",
    "run",
    "shipped",
    "summarise",
    "to_pyranges",
    "top",
    "train",
    "verify",
]
