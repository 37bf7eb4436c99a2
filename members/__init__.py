"""The register of members, their contacts, the staff and who is away."""
