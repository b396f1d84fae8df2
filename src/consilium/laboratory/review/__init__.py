"""From cells that were read to a report that somebody signs: second reading, content, release, signature, amendment."""
