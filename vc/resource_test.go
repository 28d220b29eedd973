package vc_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
)

func digests(resource string) (sri, multibase map[string]string) {
	b := []byte(resource)
	s256, s384, s512 := sha256.Sum256(b), sha512.Sum384(b), sha512.Sum512(b)
	std := base64.StdEncoding
	sri = map[string]string{
		"256": "sha256-" + std.EncodeToString(s256[:]),
		"384": "sha384-" + std.EncodeToString(s384[:]),
		"512": "sha512-" + std.EncodeToString(s512[:]),
	}
	multibase = map[string]string{
		"256": multiformat.EncodeBase64URL(append([]byte{0x12, 32}, s256[:]...)),
		"384": multiformat.Encode(append([]byte{0x20, 48}, s384[:]...)),
		"512": multiformat.EncodeBase64URL(append([]byte{0x13, 64}, s512[:]...)),
	}
	return sri, multibase
}

// bareDigests are digests in multibase that do not say what they are.
func bareDigests(resource string) map[string]string {
	b := []byte(resource)
	s256, s384, s512 := sha256.Sum256(b), sha512.Sum384(b), sha512.Sum512(b)
	return map[string]string{
		"256": multiformat.EncodeBase64URL(s256[:]),
		"384": multiformat.Encode(s384[:]),
		"512": multiformat.EncodeBase64URL(s512[:]),
	}
}

func TestRelatedResourceMatches(t *testing.T) {
	t.Parallel()
	s, m := digests("willow")
	os, om := digests("alder")
	bare, otherBare := bareDigests("willow"), bareDigests("alder")
	for name, r := range map[string]vc.RelatedResource{
		"sha256":                    {DigestSRI: []string{s["256"]}},
		"sha384":                    {DigestSRI: []string{s["384"]}},
		"sha512":                    {DigestSRI: []string{s["512"]}},
		"with an option":            {DigestSRI: []string{s["384"] + "?a=b"}},
		"one of two in a text":      {DigestSRI: []string{os["384"] + " " + s["384"]}},
		"one of two in a list":      {DigestSRI: []string{os["384"], s["384"]}},
		"the strongest":             {DigestSRI: []string{os["256"] + "  " + s["512"]}},
		"beside one not known":      {DigestSRI: []string{"sha3-AA " + s["256"]}},
		"multihash sha2-256":        {DigestMultibase: []string{m["256"]}},
		"multihash sha2-384":        {DigestMultibase: []string{m["384"]}},
		"multihash sha2-512":        {DigestMultibase: []string{m["512"]}},
		"multihash of two":          {DigestMultibase: []string{om["256"], m["256"]}},
		"multihash the strongest":   {DigestMultibase: []string{om["256"], m["384"]}},
		"both forms":                {DigestSRI: []string{s["256"]}, DigestMultibase: []string{m["512"]}},
		"multihash beside nonsense": {DigestMultibase: []string{"zX", m["256"]}},
		"bare digest of 32 bytes":   {DigestMultibase: []string{bare["256"]}},
		"bare digest of 48 bytes":   {DigestMultibase: []string{bare["384"]}},
	} {
		require.NoError(t, r.Matches([]byte("willow")), name)
		require.ErrorIs(t, r.Matches([]byte("Willow")), vc.ErrDigest, name)
		require.ErrorIs(t, r.Matches(nil), vc.ErrDigest, name)
	}
	for name, r := range map[string]vc.RelatedResource{
		"none":                   {},
		"weaker alone is right":  {DigestSRI: []string{s["256"] + " " + os["384"]}},
		"weaker multihash alone": {DigestMultibase: []string{m["256"], om["512"]}},
		"forms differ":           {DigestSRI: []string{s["256"]}, DigestMultibase: []string{om["256"]}},
		"forms differ, turned":   {DigestSRI: []string{os["256"]}, DigestMultibase: []string{m["256"]}},
		"not known":              {DigestSRI: []string{"md5-AAAA"}},
		"upper case":             {DigestSRI: []string{"SHA256" + s["256"][6:]}},
		"no base64":              {DigestSRI: []string{"sha256-!"}},
		"cut short":              {DigestSRI: []string{s["256"][:20]}},
		"name of another size":   {DigestSRI: []string{"sha384" + s["256"][6:]}},
		"blank":                  {DigestSRI: []string{" "}},
		"multihash not known":    {DigestMultibase: []string{"uEQAA"}},
		"multihash length":       {DigestMultibase: []string{m["256"] + "AAAA"}},
		"multihash base":         {DigestMultibase: []string{"m" + m["256"][1:]}},
		"multihash empty":        {DigestMultibase: []string{""}},
		"multihash one byte":     {DigestMultibase: []string{"uEg"}},
		"bare digest, 64 bytes":  {DigestMultibase: []string{bare["512"]}},
		"bare digest of another": {DigestMultibase: []string{otherBare["256"]}},
		"bare digest, too short": {DigestMultibase: []string{bare["256"][:len(bare["256"])-4]}},
		"weaker bare digest":     {DigestMultibase: []string{bare["256"], om["384"]}},
	} {
		require.ErrorIs(t, r.Matches([]byte("willow")), vc.ErrDigest, name)
	}
}

// TestPublishedContextDigests compares the digests typed into this package with
// the files that the specifications publish.
func TestPublishedContextDigests(t *testing.T) {
	t.Parallel()
	for url, file := range map[string]string{
		vc.ContextV2: "credentials-v2.jsonld",
		vc.ContextV1: "credentials-v1.jsonld",
	} {
		raw := string(vectors.Read(t, "contexts", file))
		_, good := digests(raw)
		_, bad := digests(raw + "\n")
		check := func(digest string) error {
			return (*vc.ContextSet)(nil).CheckResources(related(url, digest))
		}
		require.NoError(t, check(good["256"]), url)
		require.ErrorIs(t, check(bad["256"]), vc.ErrDigest, url)
		require.ErrorIs(t, check(bad["384"]), vc.ErrDigest, url)
	}
	raw := string(vectors.Read(t, "contexts", "credentials-v2.jsonld"))
	_, good := digests(raw)
	require.NoError(t, (*vc.ContextSet)(nil).CheckResources(related(vc.ContextV2, good["384"])))
}

func related(id, multibase string) *strictjson.Object {
	return strictjson.NewObject(strictjson.Member{Name: "relatedResource", Value: strictjson.NewObject(
		strictjson.Member{Name: "id", Value: id}, strictjson.Member{Name: "digestMultibase", Value: multibase})})
}

func TestCheckResources(t *testing.T) {
	t.Parallel()
	const document, url = `{"@context":{"river":"https://terms.example/river"}}`, "https://terms.example/v1"
	set, err := vc.NewContextSet(map[string][]byte{url: []byte(document)}, vc.Contexts(url))
	require.NoError(t, err)
	_, good := digests(document)
	_, bad := digests(document + " ")
	for name, c := range map[string]struct {
		doc  *strictjson.Object
		want error
	}{
		"its digest":             {related(url, good["256"]), nil},
		"another's":              {related(url, bad["256"]), vc.ErrDigest},
		"no digest":              {related(url, "zX"), vc.ErrDigest},
		"the base context":       {related(vc.ContextV2, "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"), nil},
		"the wrong base context": {related(vc.ContextV2, "uEiBXOT-8adbvubm13Jy2uYgLCUQ2Cr_i6vRZyeWM8iedfA"), vc.ErrDigest},
		"a digest not published": {related(vc.ContextV2, bad["512"]), vc.ErrDigest},
		"no context":             {related("https://images.example/1", "zX"), nil},
		"nothing":                {strictjson.NewObject(), nil},
	} {
		err := set.CheckResources(c.doc)
		require.ErrorIs(t, err, c.want, name)
		if c.want != nil {
			var e *vc.Error
			require.ErrorAs(t, err, &e, name)
			require.Equal(t, vc.Pointer("/relatedResource"), e.At, name)
		}
	}
}
