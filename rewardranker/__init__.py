"""RewardRanker: iterative self-training of code rerankers.

The method: problems, judging, models, training mathematics, mining, reranking and evaluation. Needs torch
and transformers; where it runs, on one core or many machines, is the business of the package ``actors``.
"""

__version__ = "0.1.0"
