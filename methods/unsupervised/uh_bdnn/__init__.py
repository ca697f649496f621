"""UH-BDNN and its autoencoder."""
