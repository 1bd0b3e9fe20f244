"""The real helm and kustomize, held to rules, and what goes into them and comes out."""
