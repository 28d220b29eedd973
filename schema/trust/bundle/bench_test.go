package bundle_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// A nation is a bundle for 250 organisations, each with a document of 2 KiB and a status
// list of 20 KiB.
func nation(b *testing.B) []byte {
	w := small()
	var urls []string
	for i := range 250 {
		for kind, size := range map[string]int{"did.json": 2 << 10, "status": 20 << 10} {
			url := fmt.Sprintf("https://rivers-%d.example/%s", i, kind)
			w.put(url, "application/vc", strings.Repeat(fmt.Sprintf("%s %d;", kind, i), size)[:size])
			urls = append(urls, url)
		}
	}
	return build(b, plan(b, w, func(p *bundle.Plan) { p.URLs = append(p.URLs, urls...) }))
}

// BenchmarkOpen opens a bundle for two organisations and one for a country.
func BenchmarkOpen(b *testing.B) {
	for name, file := range map[string][]byte{"small": build(b, plan(b, small())), "nation": nation(b)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				open(b, file)
			}
		})
	}
}

// BenchmarkRefuse is what the largest file of a stranger costs before it is refused.
func BenchmarkRefuse(b *testing.B) {
	token := apart(b, build(b, plan(b, small(), func(p *bundle.Plan) { p.Signer = named(b, "Nettle Styx").signer }))).Manifest
	one := taken{1, token, []string{strings.Repeat("A", bundle.MaxFile-4<<10)}}
	escaped := bytes.Replace(one.together(b), []byte("AAAAAA"), []byte(`\u0041`), bundle.MaxFile/6-4<<10)
	parts := strings.Split(token, ".")
	manifestOf := func(payload string) []byte {
		parts := []string{parts[0], base64.RawURLEncoding.EncodeToString([]byte(payload)), parts[2]}
		f := taken{1, strings.Join(parts, "."), []string{strings.Repeat("A", bundle.MaxFile-2<<20)}}
		return f.together(b)
	}
	for name, file := range map[string][]byte{
		"one part":       one.together(b),
		"escaped":        escaped,
		"many parts":     []byte(`{"staffPassportBundle":1,"manifest":"` + token + `","parts":[` + strings.Repeat(`"",`, bundle.MaxFile/3-4<<10) + `""]}`),
		"long number":    []byte(`{"staffPassportBundle":1.` + strings.Repeat("3", bundle.MaxFile-4<<10) + `}`),
		"many arrays":    manifestOf(`{"version":1,"arrays":[` + strings.Repeat(`["a"],`, 1<<20/6-1<<10) + `[]]}`),
		"no JSON":        bytes.Repeat([]byte("["), bundle.MaxFile),
		"longer than so": make([]byte, bundle.MaxFile+1),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bundle.Open(b.Context(), file, policy(b)); err == nil {
					b.Fatal("opened")
				}
			}
		})
	}
}

// BenchmarkGet is what takes the place of the network.
func BenchmarkGet(b *testing.B) {
	file := open(b, nation(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := file.Get(b.Context(), "https://rivers-17.example/did.json"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFloor is what opening cannot leave out: the base64 of every part, a hash over
// it, and a signature.
func BenchmarkFloor(b *testing.B) {
	for name, file := range map[string][]byte{"small": build(b, plan(b, small())), "nation": nation(b)} {
		b.Run("Open/"+name, func(b *testing.B) {
			parts := apart(b, file).Parts
			signature, err := maker(b).signer.Sign(b.Context(), file[:64])
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				for _, p := range parts {
					decoded, err := base64.RawURLEncoding.DecodeString(p)
					if err != nil {
						b.Fatal(err)
					}
					sha256.Sum256(decoded)
				}
				if !ed25519.Verify(maker(b).public.(ed25519.PublicKey), file[:64], signature) {
					b.Fatal("signature")
				}
			}
		})
	}
}
