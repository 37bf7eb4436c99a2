"""What the holder of a personal link, or somebody from the street, sees and does: one case each, never the desk."""
