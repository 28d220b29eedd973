package jsonld

import "embed"

//go:embed contexts/*.jsonld
var files embed.FS
