"""What a cytogenetic laboratory records, from the specimen to the signed case."""
