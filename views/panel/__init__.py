"""Base classes and helpers of all screens: Flask-Admin's hooks, fields, query form, saving, export."""
