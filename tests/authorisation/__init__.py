"""Who may do what, cell by cell, and whose words appear where."""
