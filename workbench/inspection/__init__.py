"""Two models beside each other, layer by layer: how alike they are, what their vectors tell, which weights moved."""
