"""Rules and data, independent of HTTP: vocabulary, workflow, tables, row security, acts."""
