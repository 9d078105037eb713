"""Right programs in styles that a judge may stumble over, by language: each must be OK."""
