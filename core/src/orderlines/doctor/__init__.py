"""Whether what runs need is there and in order: each module looks at one part and yields findings."""
