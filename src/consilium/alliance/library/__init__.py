"""Models that one hospital made and all may use: published, let in by a second person, pulled, verified, taken back."""
