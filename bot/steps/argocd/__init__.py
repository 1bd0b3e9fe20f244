"""Argo CD, for the steps that have it do something."""
