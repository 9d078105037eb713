"""What commands do that need no runtime: judging and reranking what came from anywhere."""
