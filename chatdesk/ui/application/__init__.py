"""The top floor: puts the window together, binds its panes to the services, and takes it all down again."""
