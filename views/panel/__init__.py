"""What every screen stands on: Flask-Admin's hooks, fields, query form, saving, export."""
