"""JSON as GitHub describes it, complete, built from records; shared by REST and webhooks."""
