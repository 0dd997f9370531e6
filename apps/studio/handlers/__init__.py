"""What Studio's two kinds of job do: write a prompt, make an image."""
