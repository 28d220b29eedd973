package jsonld

// File is the name of the document among the embedded files.
func (p PublishedContext) File() string { return p.file }

// Context is the value of @context, if the document is the one that is pinned.
func (p PublishedContext) Context() (any, error) { return p.context() }
