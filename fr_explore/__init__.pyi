# isort: skip_file
# The public names, in the order of the data flow: strengths -> images -> embeddings -> field -> energy -> chart.

# strengths: what can be changed about a face, and which faces to render
from .attributes import ATTRIBUTES as ATTRIBUTES
from .attributes import PAPER_ATTRIBUTES as PAPER_ATTRIBUTES
from .attributes import Attribute as Attribute
from .lattice import Lattice as Lattice
from .lattice import sample_lattice as sample_lattice

# images: face sources and data sets
from .faces.base import Face as Face
from .faces.base import FaceSource as FaceSource
from .faces.avatars.source import Avatars as Avatars
from .faces.cartoons import Cartoons as Cartoons
from .faces.photographs.source import Photographs as Photographs
from .faces.datasets.celeba import read_celeba as read_celeba
from .faces.datasets.labelled import LabelledImages as LabelledImages
from .faces.datasets.labelled import read_labelled as read_labelled
from .faces.datasets.lfw import read_lfw as read_lfw
from .faces.datasets.precomputed import read_lattice as read_lattice

# embeddings: models, and what they see
from .models.registry import ModelCard as ModelCard
from .models.registry import fetch_model as fetch_model
from .models.registry import list_models as list_models
from .models.registry import load_model as load_model
from .embedding.embed import embed as embed
from .embedding.inspection import show_crops as show_crops
from .embedding.inspection import sweep as sweep
from .embedding.inspection import sweep_distances as sweep_distances
from .training.finetune import finetune as finetune

# field: how an attribute moves the embeddings of one person (microscale)
from .geometry.field import field_similarity as field_similarity
from .geometry.field import tangent_field as tangent_field
from .geometry.field import vector_field as vector_field
from .geometry.dimension import intrinsic_dimension as intrinsic_dimension
from .geometry.projection import Projection as Projection
from .geometry.projection import pca as pca
from .geometry.projection import umap as umap

# energy: how well these moves agree among neighbours
from .geometry.neighbors import all_pairs as all_pairs
from .geometry.neighbors import ball as ball
from .geometry.neighbors import knn as knn
from .geometry.by_identity import alignment as alignment
from .geometry.alignment import alignment_energy as alignment_energy
from .geometry.by_identity import alignment_profile as alignment_profile
from .geometry.hodge import hodge_shares as hodge_shares
from .geometry.persistence import persistence as persistence

# distances between people (macroscale)
from .population.macroscale import entropy_correlation as entropy_correlation
from .population.macroscale import macroscale as macroscale
from .population.macroscale import modality_distances as modality_distances
from .population.audit import Audit as Audit
from .population.audit import audit as audit
from .population.image_statistics import confounders as confounders
from .population.image_statistics import image_statistics as image_statistics
from .population.probes import linear_probe as linear_probe
from .population.verification import Overlap as Overlap
from .population.verification import Verification as Verification
from .population.verification import overlap as overlap
from .population.verification import pair_distances as pair_distances
from .population.verification import verification as verification
from .population.lfw_protocol import fold_accuracy as fold_accuracy

# statistics over people
from .statistics import compare as compare
from .statistics import null_test as null_test
from .statistics import summarize as summarize

# charts, reports, stored results, clusters
from . import charts as charts
from .report import report as report
from .scale.cluster import local_cluster as local_cluster
from .scale.results import load_results as load_results
from .scale.results import save_results as save_results
