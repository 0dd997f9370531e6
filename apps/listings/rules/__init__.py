"""What marketplaces ask of images, as dated tables, and the measuring of it from pixels and bytes."""
