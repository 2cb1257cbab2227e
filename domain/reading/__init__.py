"""What conversations say: read behind their uploads, and found again."""
