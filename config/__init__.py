"""The site folder: settings, where the scripts are, and the templates of `prearc init`."""
