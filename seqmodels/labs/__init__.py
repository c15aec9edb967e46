"""Small synthetic networks, and cells set by hand: the numbers of the pages that teach. Their pictures are in `seqmodels.viz`."""
