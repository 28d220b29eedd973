package schema

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write generated files instead of comparing them")

// TestJSONSchemaIsGenerated is also the generator: go generate runs it with
// -update.
func TestJSONSchemaIsGenerated(t *testing.T) {
	generated, err := generateSchema()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("passport.schema.json", generated, 0o644))
		return
	}
	require.Equal(t, string(generated), string(JSONSchema()), "run go generate in package schema")
}

// TestContextIsGenerated is the same for the JSON-LD context.
func TestContextIsGenerated(t *testing.T) {
	generated, err := generateContext()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("context-v1.jsonld", generated, 0o644))
		return
	}
	require.Equal(t, string(generated), string(ContextDocument()), "run go generate in package schema")
}

// TestTypeMetadataIsGenerated is the same for the type metadata of SD-JWT VC.
func TestTypeMetadataIsGenerated(t *testing.T) {
	generated, err := generateTypeMetadata()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("passport.vct.json", generated, 0o644))
		return
	}
	require.Equal(t, string(generated), string(TypeMetadata()), "run go generate in package schema")
}
